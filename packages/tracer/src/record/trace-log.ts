import type { TraceLine } from './trace-line.js';

export interface SeenFile {
  /** Components below the root of the file system on `device`, first to last. */
  readonly path: string;
  /** `major:minor` as in mountinfo. */
  readonly device: string;
}

export interface SeenExec {
  readonly phase: number;
  readonly argv: readonly string[];
}

/** What one container's slot has shown of one program. */
export interface SeenProgram {
  readonly mark: bigint;
  file: SeenFile | undefined;
  readonly execs: SeenExec[];
  readonly objects: SeenFile[];
}

export interface SeenCall {
  readonly mark: bigint;
  readonly call: number;
  /** In all phases. */
  readonly count: number;
  /** Of the first time; undefined when the line that says so was lost. */
  readonly first: { readonly phase: number; readonly process: string } | undefined;
}

export interface SeenDenial {
  readonly mark: bigint;
  readonly phase: number;
  readonly call: number;
  readonly error: number;
  readonly count: number;
  /** Name of the first task that was denied it; undefined when the line that says so was lost. */
  readonly process: string | undefined;
  /** Of the first one: hexadecimal with `0x`; undefined where they were not found. */
  readonly values: readonly string[] | undefined;
}

export interface SeenFailedExec {
  readonly mark: bigint;
  readonly phase: number;
  readonly error: number;
  readonly path: string;
}

/** All that is known of one slot at the time of a dump. */
export interface SlotRecord {
  readonly programs: readonly SeenProgram[];
  readonly calls: readonly SeenCall[];
  readonly denials: readonly SeenDenial[];
  readonly failedExecs: readonly SeenFailedExec[];
  /** Events that were told and have not arrived. */
  readonly missing: number;
}

/** Distinct argument vectors kept per program, and failed execs per slot. */
const maxVectors = 64;
const maxFailedExecs = 2_000;

const slotOf = (mark: bigint): number => Number(mark >> 48n);
const keyOf = (...parts: (bigint | number)[]): string => parts.join(',');

/** Kernel's internal dev_t to `major:minor` (include/linux/kdev_t.h: 12 and 20 bits). */
function deviceText(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}

/** Splits a kernel argument area, NUL after each, as execve(2) lays it out. */
function argvOf(bytes: Buffer, cut: boolean): string[] {
  const parts = bytes.toString('utf8').split('\0');
  if (!cut) parts.pop();
  return parts;
}

interface PendingEvent {
  readonly mark: bigint;
  readonly phase: number;
  readonly device: number;
  readonly kind: 'exec' | 'object';
  readonly components: Buffer[];
  readonly arguments: Buffer[];
}

/** Lines of the tracing program put together: a state machine without input or output of its own. */
export class TraceLog {
  #pending = new Map<string, PendingEvent>();
  #programs = new Map<bigint, SeenProgram>();
  #firstCalls = new Map<string, { readonly phase: number; readonly process: string }>();
  #firstDenials = new Map<string, string>();
  #arguments = new Map<string, readonly string[]>();
  #failedExecs = new Map<number, Map<string, SeenFailedExec>>();
  #calls = new Map<string, Extract<TraceLine, { kind: 'calls' }>>();
  #denials = new Map<string, Extract<TraceLine, { kind: 'denials' }>>();
  #told = new Map<number, number>();
  #arrived = new Map<number, number>();
  #lost = 0;

  /** Lines lost since the tracer started. */
  get lost(): number {
    return this.#lost;
  }

  /** Entries of the larger map: what has to stay below its capacity. */
  get entries(): number {
    return this.#calls.size;
  }

  take(line: TraceLine): void {
    switch (line.kind) {
      case 'exec':
        this.#pending.set(line.id, { ...line, components: [], arguments: [] });
        break;
      case 'object':
        this.#pending.set(line.id, { ...line, phase: 0, components: [], arguments: [] });
        break;
      case 'component':
        this.#pending.get(line.id)?.components.push(line.text);
        break;
      case 'rest': {
        const components = this.#pending.get(line.id)?.components;
        const start = components?.[line.component];
        if (components && start) components[line.component] = Buffer.concat([start, line.text]);
        break;
      }
      case 'path-end':
        this.#endPath(line.id, line.cut);
        break;
      case 'arguments':
        this.#pending.get(line.id)?.arguments.push(line.bytes);
        break;
      case 'arguments-end':
        this.#endArguments(line.id, line.cut);
        break;
      case 'first-call':
        this.#arrive(line.mark);
        this.#takeFirstCall(line);
        break;
      case 'first-denial':
        this.#arrive(line.mark);
        this.#firstDenials.set(keyOf(line.mark, line.phase, line.call, line.error), line.process);
        break;
      case 'denied-arguments':
        this.#arguments.set(keyOf(line.mark, line.phase, line.call, line.error), line.values);
        break;
      case 'failed-exec': {
        this.#arrive(line.mark);
        const slot = slotOf(line.mark);
        const seen = this.#failedExecs.get(slot) ?? new Map<string, SeenFailedExec>();
        this.#failedExecs.set(slot, seen);
        const key = keyOf(line.mark, line.phase, line.error) + line.path;
        if (seen.size < maxFailedExecs) seen.set(key, line);
        break;
      }
      case 'calls':
        this.#calls.set(keyOf(line.mark, line.call), line);
        break;
      case 'denials':
        this.#denials.set(keyOf(line.mark, line.phase, line.call, line.error), line);
        break;
      case 'told':
        this.#told.set(line.slot, line.count);
        break;
      case 'lost':
        this.#lost += line.count;
        break;
      default:
    }
  }

  #arrive(mark: bigint): void {
    const slot = slotOf(mark);
    this.#arrived.set(slot, (this.#arrived.get(slot) ?? 0) + 1);
  }

  /** Two processors that see a call for the first time at once both say so: the earlier phase counts. */
  #takeFirstCall({ mark, call, phase, process }: Extract<TraceLine, { kind: 'first-call' }>): void {
    const key = keyOf(mark, call);
    const known = this.#firstCalls.get(key);
    if (known === undefined || phase < known.phase) this.#firstCalls.set(key, { phase, process });
  }

  #program(mark: bigint): SeenProgram {
    let program = this.#programs.get(mark);
    if (program === undefined) {
      program = { mark, file: undefined, execs: [], objects: [] };
      this.#programs.set(mark, program);
    }
    return program;
  }

  #endPath(id: string, cut: boolean): void {
    const event = this.#pending.get(id);
    if (event === undefined) return;
    const names = event.components.map((name) => name.toString('utf8')).reverse();
    const file = { path: `${cut ? '/…' : ''}/${names.join('/')}`, device: deviceText(event.device) };
    const program = this.#program(event.mark);
    if (event.kind === 'object') {
      this.#arrive(event.mark);
      program.objects.push(file);
      this.#pending.delete(id);
    } else program.file = file;
  }

  #endArguments(id: string, cut: boolean): void {
    const event = this.#pending.get(id);
    if (event === undefined) return;
    this.#pending.delete(id);
    this.#arrive(event.mark);
    const { execs } = this.#program(event.mark);
    const argv = argvOf(Buffer.concat(event.arguments), cut);
    const known = execs.some(
      (seen) => seen.argv.length === argv.length && seen.argv.every((a, i) => a === argv[i]),
    );
    if (!known && execs.length < maxVectors) execs.push({ phase: event.phase, argv });
  }

  /** Events of a slot that the last dump counts and that have not arrived; its containers must have ended. */
  missingOf(slot: number): number {
    return Math.max(0, (this.#told.get(slot) ?? 0) - (this.#arrived.get(slot) ?? 0));
  }

  /** What was seen of a slot. Calls and denials are those of the last dump. */
  recordOf(slot: number): SlotRecord {
    const mine = <T extends { readonly mark: bigint }>(values: Iterable<T>): T[] =>
      [...values].filter(({ mark }) => slotOf(mark) === slot);
    return {
      programs: mine(this.#programs.values()),
      calls: mine(this.#calls.values()).map((seen) => ({
        ...seen,
        first: this.#firstCalls.get(keyOf(seen.mark, seen.call)),
      })),
      denials: mine(this.#denials.values()).map((seen) => ({
        ...seen,
        process: this.#firstDenials.get(keyOf(seen.mark, seen.phase, seen.call, seen.error)),
        values: this.#arguments.get(keyOf(seen.mark, seen.phase, seen.call, seen.error)),
      })),
      failedExecs: [...(this.#failedExecs.get(slot)?.values() ?? [])],
      missing: this.missingOf(slot),
    };
  }

  /** Forgets everything but the count of lost lines: after the maps were cleared. */
  clear(): void {
    this.#pending.clear();
    this.#programs.clear();
    this.#firstCalls.clear();
    this.#firstDenials.clear();
    this.#told.clear();
    this.#arrived.clear();
    this.#arguments.clear();
    this.#failedExecs.clear();
    this.#calls.clear();
    this.#denials.clear();
  }
}
