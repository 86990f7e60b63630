import { constants } from 'node:os';
import { posix } from 'node:path';
import { type ExecutedProgram, ProfGenError, unknownProgram, x86_64Syscalls } from '@prof-gen/core';
import { compatBit } from '../program/bpf-program.js';
import { x32Bit } from '../record/observed-record.js';
import type { SeenCall, SeenDenial, SeenExec, SeenFailedExec, SlotRecord } from '../record/trace-log.js';
import {
  directoryArgument,
  errnoOf,
  execArguments,
  executableMapping,
  nameOfTask,
  parseStraceLine,
  resultOf,
  type StraceLine,
} from './strace-line.js';

type Abi = 'x86-64' | 'i386' | 'x32';
type CallLine = Extract<StraceLine, { kind: 'call' }>;

export interface StraceLogOptions {
  /** Phase of a call by the time (`-ttt`) that it began; all in phase 0 unless said. */
  readonly phaseAt?: (time: number) => number;
  /** Directory that processes start in which nothing in the log has started. */
  readonly cwd?: string;
  /**
   * Numbers that the container's filter answers whatever their arguments: an EPERM or ENOSYS for one is the filter's.
   * ptrace stops a call before the filter does, so of other calls it is not known who answered.
   */
  readonly filtered?: ReadonlySet<number>;
}

/** Calls and mappings that belong together: of one executed file, or of a process whose program is not known yet. */
interface Group {
  /** As it was executed, absolute; undefined while, or where, it is not known. */
  readonly path: string | undefined;
  /** The group that this one turned out to be a part of: a child's lines may come before its parent's fork ends. */
  partOf: Group | undefined;
  /** Its process has executed something since. */
  left: boolean;
  readonly execs: SeenExec[];
  readonly objects: Set<string>;
  readonly calls: Map<string, { phase: number; call: number; count: number; process: string | undefined }>;
  readonly denials: Map<
    string,
    { phase: number; call: number; count: number; process: string | undefined; error: number }
  >;
  readonly failedExecs: Map<string, Omit<SeenFailedExec, 'mark'>>;
}

interface Process {
  group: Group;
  /** Of its task, as far as the log tells (`comm`). */
  name: string | undefined;
  cwd: string | undefined;
  abi: Abi;
  /** The group that it began with, as long as its parent is not known. */
  origin: Group | undefined;
  ended: boolean;
  pending: { readonly line: CallLine; readonly call: number | undefined; readonly phase: number } | undefined;
}

const forks = new Set(['clone', 'clone2', 'clone3', 'fork', 'vfork']);
const ends = new Set(['exit', 'exit_group']);
const ofInterest = new Set([...forks, 'execve', 'execveat', 'chdir', 'fchdir', 'chroot', 'prctl']);
const errnos: Readonly<Record<string, number>> = constants.errno;

/** As for bpftrace: distinct argument vectors of a program, and failed executions of a container. */
const maxVectors = 64;
const maxFailedExecs = 2_000;
/** Longest path of a failed execution, as a failed execution seen by bpftrace has it. */
const failedPathLimit = 119;
const maxProcesses = 4_194_304;
const maxPrograms = 65_536;
const maxObjects = 65_536;
/** More names than the tables of all architectures have. */
const maxUnnumbered = 4_096;
/** Of `comm` (TASK_COMM_LEN in include/linux/sched.h), without its NUL. */
const commLength = 15;

/** What was seen, and what it is not known whose it was. */
export interface StraceRecord {
  readonly record: SlotRecord;
  /** Calls of processes whose program nothing in the log tells; their `mark` is 0. */
  readonly unattributed: readonly SeenCall[];
  /** `i386:NAME` and `x32:NAME` of calls without a number (no `-n`), and names that the x86-64 table lacks; sorted. */
  readonly unnumbered: readonly string[];
}

/**
 * Lines of `strace -f` put together: a state machine without input or output of its own. Calls after a successful
 * exec are the new program's, those of a child before its own are its parent's, and an exec itself is the old
 * program's. Lines may come in any order among processes: what a child did before its parent's fork is told to have
 * ended counts once it has.
 */
export class StraceLog {
  readonly #options: StraceLogOptions;
  readonly #processes = new Map<number, Process>();
  readonly #programs = new Map<string, Group>();
  readonly #unknown: Group[] = [];
  readonly #unnumbered = new Set<string>();
  /** Processes at a gate, and what came of it. */
  readonly #gates = new Map<number, (executed: boolean, why: string) => void>();
  readonly #gateFailures = new Map<number, string>();
  #failures = 0;
  #understood = 0;
  #others = 0;

  constructor(options: StraceLogOptions = {}) {
    this.#options = options;
  }

  /** Lines that were read as strace's, and those that were not. */
  get lines(): { readonly understood: number; readonly others: number } {
    return { understood: this.#understood, others: this.#others };
  }

  /**
   * What this process does until it has executed a program is none of the container's.
   * @param passed called once it has, or has failed to
   */
  gate(pid: number, passed: (executed: boolean, why: string) => void): void {
    this.#gates.set(pid, passed);
  }

  /**
   * @param pid whose line it is where the line does not say (`-ff`, or a single process)
   * @throws ProfGenError `trace/strace-limit` for more processes, programs or calls than a container can have
   */
  take(line: string, pid = 0): void {
    const seen = parseStraceLine(line);
    if (seen === undefined) {
      if (line.trim() !== '') this.#others += 1;
      return;
    }
    this.#understood += 1;
    switch (seen.kind) {
      case 'call':
        this.#call(seen, seen.pid ?? pid);
        break;
      case 'resumed': {
        const process = this.#processes.get(seen.pid ?? pid);
        const pending = process?.pending;
        if (process === undefined || pending === undefined) break;
        process.pending = undefined;
        this.#ended(pending, seen.rest, process, seen.pid ?? pid);
        break;
      }
      case 'mode':
        this.#process(seen.process === 0 ? pid : seen.process).abi = seen.abi;
        break;
      case 'end': {
        const process = this.#processes.get(seen.pid ?? pid);
        if (process) process.ended = true;
        this.#gatePassed(seen.pid ?? pid, false, 'it ended');
        break;
      }
      case 'other':
    }
  }

  #process(pid: number): Process {
    const known = this.#processes.get(pid);
    if (known !== undefined && !known.ended) return known;
    if (this.#processes.size >= maxProcesses) throw tooMuch('processes');
    const group = newGroup(undefined);
    this.#unknown.push(group);
    const process: Process = {
      group,
      name: undefined,
      cwd: this.#options.cwd,
      abi: 'x86-64',
      origin: group,
      ended: false,
      pending: undefined,
    };
    this.#processes.set(pid, process);
    return process;
  }

  #call(line: CallLine, pid: number): void {
    const process = this.#process(pid);
    const phase = line.time === undefined ? 0 : (this.#options.phaseAt?.(line.time) ?? 0);
    const call = this.#number(line, process.abi);
    if (line.name === 'mmap' || line.name === 'mmap2') {
      const object = executableMapping(line.rest);
      const { objects } = process.group;
      if (object !== undefined && objects.size < maxObjects) objects.add(object);
    }
    if (call !== undefined && !this.#gates.has(pid) && !this.#options.filtered?.has(call)) {
      count(process.group.calls, `${phase} ${call}`, { phase, call, process: process.name });
    }
    if (ends.has(line.name)) this.#gatePassed(pid, false, 'it ended');
    const started = { line, call, phase };
    if (line.unfinished === false) this.#ended(started, line.rest, process, pid);
    else if (line.unfinished === 'same') process.pending = started;
    else {
      // A thread executes a program: it goes on as its process's leader.
      process.ended = true;
      const leader = this.#process(line.unfinished);
      leader.group = process.group;
      leader.name = process.name;
      leader.cwd = process.cwd;
      leader.origin = undefined;
      leader.pending = started;
    }
  }

  /** The call has its result. */
  #ended(
    { line, call, phase }: NonNullable<Process['pending']>,
    rest: string,
    process: Process,
    pid: number,
  ): void {
    const { name } = line;
    if (call !== undefined && this.#options.filtered?.has(call)) {
      const error = errnoOf(rest);
      const seen = { phase, call, process: process.name };
      if (error === 'EPERM' || error === 'ENOSYS') {
        count(process.group.denials, `${phase} ${call} ${error}`, { ...seen, error: errnos[error] ?? 0 });
      } else count(process.group.calls, `${phase} ${call}`, seen);
    }
    if (ends.has(name)) process.ended = true;
    if (!ofInterest.has(name)) return;
    const result = resultOf(rest);
    const value = result === undefined || result === '?' ? undefined : Number(result);
    if (value === undefined || Number.isNaN(value)) return;
    if (name === 'execve' || name === 'execveat') this.#executed(line, rest, value, process, pid, phase);
    else if (value < 0) return;
    else if (forks.has(name)) {
      if (value > 0) this.#forked(process, value);
    } else if (name === 'prctl') process.name = nameOfTask(line.rest) ?? process.name;
    else if (name === 'chroot') process.cwd = undefined;
    else {
      const to = directoryArgument(name, line.rest);
      process.cwd = to === undefined ? undefined : absolute(to, process.cwd);
    }
  }

  #forked(parent: Process, pid: number): void {
    const known = this.#processes.get(pid);
    if (known?.origin !== undefined) {
      // Its lines came first.
      known.origin.partOf = parent.group;
      if (known.group === known.origin) known.group = parent.group;
      known.origin = undefined;
      known.cwd ??= parent.cwd;
      known.name ??= parent.name;
      return;
    }
    if (known === undefined && this.#processes.size >= maxProcesses) throw tooMuch('processes');
    this.#processes.set(pid, { ...parent, origin: undefined, ended: false, pending: undefined });
  }

  #executed(
    line: CallLine,
    rest: string,
    result: number,
    process: Process,
    pid: number,
    phase: number,
  ): void {
    const given = execArguments(line.name, line.rest);
    if (result < 0) {
      const errno = errnoOf(rest) ?? '';
      if (this.#gates.has(pid)) {
        if (errno !== 'ENOENT' && errno !== 'ENOTDIR') this.#gateFailures.set(pid, errno);
        return;
      }
      if (given === undefined || this.#failures >= maxFailedExecs) return;
      const path = given.path.slice(0, failedPathLimit);
      const error = errnos[errno] ?? 0;
      const key = `${phase} ${error} ${path}`;
      if (!process.group.failedExecs.has(key)) this.#failures += 1;
      process.group.failedExecs.set(key, { phase, error, path });
      return;
    }
    const path = given === undefined ? undefined : executedPath(given, process);
    const group = path === undefined ? this.#nameless() : this.#program(path);
    process.group.left = true;
    // It did nothing before that a parent would have to answer for.
    if (process.origin?.calls.size === 0) process.origin = undefined;
    process.group = group;
    process.name = posix.basename(given?.path || given?.descriptor || unknownProgram).slice(0, commLength);
    if (given !== undefined) {
      const { argv } = given;
      const known = group.execs.some(
        (seen) => seen.argv.length === argv.length && seen.argv.every((word, i) => word === argv[i]),
      );
      if (!known && group.execs.length < maxVectors) group.execs.push({ phase, argv });
    }
    this.#gatePassed(pid, true, '');
  }

  #gatePassed(pid: number, executed: boolean, why: string): void {
    const passed = this.#gates.get(pid);
    if (passed === undefined) return;
    this.#gates.delete(pid);
    passed(executed, this.#gateFailures.get(pid) ?? why);
  }

  #program(path: string): Group {
    const known = this.#programs.get(path);
    if (known !== undefined) return known;
    if (this.#programs.size >= maxPrograms) throw tooMuch('programs');
    const group = newGroup(path);
    this.#programs.set(path, group);
    return group;
  }

  #nameless(): Group {
    const group = newGroup(undefined);
    this.#unknown.push(group);
    return group;
  }

  /** The number in its table with the ABI's bit; undefined for a name without one. */
  #number({ name, number }: CallLine, abi: Abi): number | undefined {
    if (abi === 'x86-64') {
      const known =
        number ??
        x86_64Syscalls.numberOf(name) ??
        Number(/^syscall_(0x[0-9a-f]{1,4}|\d{1,4})$/.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isNaN(known)) return known;
      return this.#withoutNumber(name);
    }
    if (number === undefined) return this.#withoutNumber(`${abi}:${name}`);
    return abi === 'i386' ? number | compatBit : number | x32Bit;
  }

  #withoutNumber(name: string): undefined {
    if (this.#unnumbered.size >= maxUnnumbered) throw tooMuch('calls');
    this.#unnumbered.add(name);
  }

  /**
   * All that was seen so far.
   * @param resolve which program the kernel runs for a path, and through which interpreters
   */
  async record(resolve: (path: string) => Promise<ExecutedProgram | undefined>): Promise<StraceRecord> {
    const marks = new Map<Group, bigint>();
    const programs: {
      mark: bigint;
      file: { path: string; device: string };
      execs: SeenExec[];
      group: Group;
    }[] = [];
    for (const [path, group] of [...this.#programs].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const found = await resolve(path);
      const mark = BigInt(programs.length + 1);
      marks.set(group, mark);
      const interpreters = found?.interpreters ?? [];
      programs.push({
        mark,
        file: { path: found?.path ?? path, device: '' },
        execs:
          interpreters.length === 0
            ? group.execs
            : group.execs.map(({ phase, argv }) => ({
                phase,
                argv: [...interpreters, path, ...argv.slice(1)],
              })),
        group,
      });
    }
    // Calls that the filter may have answered, and of which the log does not tell how they ended.
    for (const { pending, group, name } of this.#processes.values()) {
      if (pending?.call === undefined || !this.#options.filtered?.has(pending.call)) continue;
      const { phase, call } = pending;
      count(group.calls, `${phase} ${call}`, { phase, call, process: name });
    }
    const calls: SeenCall[] = [];
    const denials: SeenDenial[] = [];
    const failedExecs: SeenFailedExec[] = [];
    const unattributed: SeenCall[] = [];
    const objects = new Map<bigint, Set<string>>();
    for (const group of [...this.#programs.values(), ...this.#unknown]) {
      const owner = ownerOf(group);
      // strace itself, or whoever started the first process, executed it: no program of the log made that call.
      if (owner === group && group.path === undefined && isBeginning(group)) continue;
      const mark = marks.get(owner) ?? 0n;
      const process = (owner.path === undefined ? undefined : posix.basename(owner.path)) ?? unknownProgram;
      const nameOf = (one: { readonly process: string | undefined }): string =>
        one.process ?? process.slice(0, commLength);
      for (const one of group.calls.values()) {
        const { call, count: times, phase } = one;
        const first = { phase, process: nameOf(one) };
        (mark === 0n ? unattributed : calls).push({ mark, call, count: times, first });
      }
      for (const one of group.denials.values()) {
        denials.push({ ...one, mark, process: nameOf(one), values: undefined });
      }
      failedExecs.push(...[...group.failedExecs.values()].map((one) => ({ ...one, mark })));
      const known = objects.get(mark) ?? new Set<string>();
      objects.set(mark, known);
      for (const object of group.objects) known.add(object);
    }
    return {
      record: {
        programs: programs.map(({ group: _, ...program }) => ({
          ...program,
          objects: [...(objects.get(program.mark) ?? [])].map((path) => ({ path, device: '' })),
        })),
        calls,
        denials,
        failedExecs,
        missing: 0,
      },
      unattributed,
      unnumbered: [...this.#unnumbered].sort(),
    };
  }
}

function newGroup(path: string | undefined): Group {
  return {
    path,
    partOf: undefined,
    left: false,
    execs: [],
    objects: new Set(),
    calls: new Map(),
    denials: new Map(),
    failedExecs: new Map(),
  };
}

function ownerOf(group: Group): Group {
  let at = group;
  for (let next = at.partOf; next !== undefined && next !== group; next = at.partOf) at = next;
  return at;
}

/** Whether a process did nothing but execute its first program. */
function isBeginning({ calls, left }: Group): boolean {
  const [only] = calls.values();
  return left && calls.size === 1 && only?.count === 1 && only.call === x86_64Syscalls.numberOf('execve');
}

function count<T extends object>(map: Map<string, T & { count: number }>, key: string, first: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, { ...first, count: 1 });
  else known.count += 1;
}

const absolute = (path: string, directory: string | undefined): string | undefined =>
  path.startsWith('/') ? posix.normalize(path) : directory && posix.join(directory, path);

/** What is executed, as far as the log tells. */
function executedPath(
  { path, descriptor }: { readonly path: string; readonly descriptor: string | undefined },
  process: Process,
): string | undefined {
  if (path === '') return descriptor;
  if (/^\/proc\/(self|thread-self)\/exe$/.test(path)) return process.group.path;
  return absolute(path, descriptor ?? process.cwd);
}

function tooMuch(what: string): ProfGenError {
  return new ProfGenError('trace/strace-limit', `strace tells of more ${what} than a container can have`);
}
