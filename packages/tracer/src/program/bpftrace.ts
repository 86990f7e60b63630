import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProfGenError, printable } from '@prof-gen/core';
import { parseTraceLine } from '../record/trace-line.js';
import { type SlotRecord, TraceLog } from '../record/trace-log.js';
import { bpfProgram, pieceBytes } from './bpf-program.js';
import type { KernelFacts } from './kernel-facts.js';
import { slower } from './slower-way.js';
import { messageOf, type Operation, operations } from './message.js';

/** Distinct (program, call) of all containers watched at once. */
const mapCapacity = 131_072;
const startLimit = 180_000;
const answerLimit = 120_000;
/**
 * Each processor has its own buffer: lines of others than the answer's may be read after it. So many answers later, with
 * so many milliseconds between them, what has not arrived is lost.
 */
const settleAnswers = 20;
const settle = 25;
const maxSlot = 32_767;

/** What a container's filter may answer by more than the number of a call. */
export type JudgedCalls = ReadonlySet<number>;

/** A long-lived bpftrace. Knows slots and phases as numbers only. */
export class Bpftrace {
  /** Pages of 4 KiB that lines wait in, for each processor. */
  readonly bufferPages: number;
  readonly #child: ChildProcess;
  readonly #magic: number;
  readonly #null = openSync('/dev/null', 'w');
  readonly #log = new TraceLog();
  readonly #waiting = new Map<
    string,
    { readonly resolve: () => void; readonly reject: (why: Error) => void }
  >();
  readonly #active = new Set<number>();
  #errors = '';
  #rest = '';
  #nextSlot = 1;
  #nextToken = 1;
  #cleared: Promise<void> = Promise.resolve();
  #ended = false;
  #closing = false;
  readonly #gone: Promise<void>;

  private constructor(child: ChildProcess, magic: number, bufferPages: number) {
    this.bufferPages = bufferPages;
    this.#child = child;
    this.#magic = magic;
    child.stdout?.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-8_000);
    });
    this.#gone = new Promise((resolve) => {
      const end = (): void => {
        this.#ended = true;
        for (const { reject } of this.#waiting.values()) reject(this.#died());
        resolve();
      };
      child.on('error', end).on('exit', end);
    });
  }

  /**
   * @param bufferPages a power of two
   * @throws ProfGenError `environment/bpftrace` when it is not installed, `environment/bpf` when the kernel refuses
   */
  static async start(kernel: KernelFacts, bufferPages: number): Promise<Bpftrace> {
    const magic = randomInt(1, 2 ** 47);
    const program = bpfProgram({ kernel, controller: { pid: process.pid, magic } });
    const child = spawn('bpftrace', ['-e', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // In its own session: Ctrl-C on the terminal is for Prof-gen, which then stops this in good order.
      detached: true,
      env: {
        PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        BPFTRACE_STRLEN: String(pieceBytes),
        BPFTRACE_MAP_KEYS_MAX: String(mapCapacity),
        BPFTRACE_PERF_RB_PAGES: String(bufferPages),
      },
    });
    const tracer = new Bpftrace(child, magic, bufferPages);
    try {
      await tracer.#until('ready', startLimit);
    } catch (cause) {
      await tracer.close();
      const said = printable(tracer.#errors.replace(/^.*(WARNING|RLIMIT_MEMLOCK).*$/gm, '').trim(), 600);
      throw new ProfGenError('environment/bpf', `bpftrace could not start: ${said || 'no answer'}`, {
        hint: `tracing needs root with CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN), tracefs and a kernel with BTF; ${slower}`,
        causes: [cause],
      });
    }
    return tracer;
  }

  /** Whether it is gone, for whatever reason. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Lines lost so far; more of them after a run than before it means that its record may have holes. */
  get lost(): number {
    return this.#log.lost;
  }

  /**
   * Counts what the container with this id does from now on; its first phase is 0.
   * @param judged calls of the x86-64 table whose arguments its filter looks at
   * @throws ProfGenError `trace/slots`, `trace/tracer-died`, `trace/tracer-silent`
   */
  async watch(containerId: string, judged: JudgedCalls): Promise<number> {
    await this.#untilCleared();
    if (this.#nextSlot > maxSlot) {
      throw new ProfGenError('trace/slots', `one tracer watches at most ${maxSlot} containers`, {
        hint: 'open a new tracer',
      });
    }
    const slot = this.#nextSlot++;
    this.#active.add(slot);
    this.#send('phase', slot, 0);
    for (const call of judged) this.#send('judge', slot, call);
    this.#send('watch', slot, 0, containerId);
    return slot;
  }

  /** What the slot's container does from now on belongs to this phase. */
  phase(slot: number, phase: number): void {
    this.#send('phase', slot, phase);
  }

  /**
   * Everything seen of these slots so far. What their containers did is complete when they have ended and neither
   * `lost` has grown nor anything is `missing`.
   * @throws ProfGenError `trace/map-full`, `trace/tracer-died`, `trace/tracer-silent`
   */
  async collect(slots: readonly number[]): Promise<SlotRecord[]> {
    const { lost } = this;
    await this.#dump();
    for (let answers = 1; answers < settleAnswers && this.lost === lost; answers += 1) {
      if (slots.every((slot) => this.#log.missingOf(slot) === 0)) break;
      await sleep(settle);
      await this.#dump();
    }
    if (this.#log.entries >= mapCapacity) {
      throw new ProfGenError('trace/map-full', 'the tracing program has no room left for what it sees', {
        hint: 'trace fewer containers at once',
      });
    }
    return slots.map((slot) => this.#log.recordOf(slot));
  }

  /** Ends the watch. When nothing is watched any more, the maps start anew. */
  release(slots: readonly number[]): void {
    for (const slot of slots) this.#active.delete(slot);
    if (this.#active.size > 0 || this.#ended) return;
    const token = this.#nextToken++;
    this.#cleared = this.#until(`${operations.clear}|${token}`, answerLimit);
    // Told to whoever watches next.
    this.#cleared.catch(() => undefined);
    this.#send('clear', token, 0);
    this.#log.clear();
  }

  /** bpftrace clears maps when it reads the order, some time after it was given: what is watched by then is forgotten too. */
  async #untilCleared(): Promise<void> {
    let cleared: Promise<void>;
    do {
      cleared = this.#cleared;
      await cleared;
    } while (cleared !== this.#cleared);
  }

  /** Stops bpftrace and waits until it is gone, so that its probes are detached. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#ended) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
      await this.#gone;
      clearTimeout(timer);
    }
    closeSync(this.#null);
  }

  async #dump(): Promise<void> {
    if (this.#ended) throw this.#died();
    const token = this.#nextToken++;
    const answered = this.#until(`${operations.dump}|${token}`, answerLimit);
    this.#send('dump', token, 0);
    await answered;
  }

  #send(operation: Operation, a: number, b: number, id?: string): void {
    if (this.#ended) throw this.#died();
    writeSync(this.#null, messageOf(this.#magic, operation, a, b, id));
  }

  #died(): ProfGenError {
    return new ProfGenError('trace/tracer-died', `bpftrace ended: ${printable(this.#errors.trim(), 600)}`, {
      hint: 'run the command again',
      retryable: true,
    });
  }

  async #until(answer: string, limit: number): Promise<void> {
    if (this.#ended) throw this.#died();
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.set(answer, { resolve, reject });
        timer = setTimeout(() => {
          reject(
            new ProfGenError('trace/tracer-silent', `bpftrace did not answer within ${limit / 1000} s`, {
              hint: 'prof-gen must run in the host’s pid namespace; otherwise the machine is overloaded',
              retryable: true,
            }),
          );
        }, limit);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(answer);
    }
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const seen = parseTraceLine(line);
      if (seen === undefined) continue;
      if (seen.kind === 'ready') this.#waiting.get('ready')?.resolve();
      else if (seen.kind === 'answer') this.#waiting.get(`${seen.operation}|${seen.a}`)?.resolve();
      else this.#log.take(seen);
    }
  }
}
