import { x86_64Syscalls } from '@prof-gen/core';

/** What one execution of a program did, from its `execve` to the next one or to its end. */
export interface Execution {
  /** As it was given to `execve`, made absolute; links and `#!` are not followed. */
  readonly path: string;
  readonly argv: string;
  /** Numbers of the 64-bit table. */
  readonly calls: ReadonlySet<number>;
  /** Names of calls by the 32-bit table. */
  readonly calls32: ReadonlySet<string>;
  /** Files that were opened, absolute paths only. */
  readonly opened: ReadonlySet<string>;
}

interface Line {
  readonly pid: number;
  readonly name: string;
  /** What strace printed of the arguments. */
  readonly text: string;
  readonly is32: boolean;
  /** Filled in by the line that ends the call. */
  result: number | undefined;
  /** Where the call ended: a thread that executes a program goes on as its process. */
  endedBy: number;
}

const forks = new Set(['clone', 'clone3', 'fork', 'vfork']);
const result = / = (-?\d+|0x[0-9a-f]+|\?)(?: |$)/;

/** C string literals of a call's arguments, the octal and named escapes of paths left alone. */
function strings(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, value = '']) =>
    value.replace(/\\(["\\])/g, '$1'),
  );
}

/** Lines of `strace -f -o`, interrupted calls put together. Names of signals and ends of processes are left out. */
function readLines(log: string): Line[] {
  const lines: Line[] = [];
  const pending = new Map<number, Line>();
  const in32 = new Set<number>();
  for (const raw of log.split('\n')) {
    const mode = /\[ Process PID=(\d+) runs in (32|64|x32) bit mode\. \]/.exec(raw);
    if (mode) {
      if (mode[2] === '64') in32.delete(Number(mode[1]));
      else in32.add(Number(mode[1]));
      continue;
    }
    const [, pidText, text = ''] = /^(\d+) +(.*)$/.exec(raw) ?? [];
    const pid = Number(pidText);
    const resumed = /^<\.\.\. \S+ resumed>/.exec(text);
    if (resumed) {
      const line = pending.get(pid);
      pending.delete(pid);
      if (line) {
        line.result = numberOf(result.exec(text)?.[1]);
        line.endedBy = pid;
      }
      continue;
    }
    const [, name] = /^(\w+)\(/.exec(text) ?? [];
    if (name === undefined) continue;
    const line: Line = { pid, name, text, is32: in32.has(pid), result: undefined, endedBy: pid };
    lines.push(line);
    const moved = /<pid changed to (\d+) \.\.\.>$/.exec(text);
    if (moved) pending.set(Number(moved[1]), line);
    else if (text.endsWith('<unfinished ...>')) pending.set(pid, line);
    else line.result = numberOf(lastMatch(text));
  }
  return lines;
}

/** Arguments may contain what looks like a result. */
function lastMatch(text: string): string | undefined {
  return result.exec(text.slice(Math.max(text.lastIndexOf(' = '), 0)))?.[1];
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '?' ? undefined : Number(text);
}

function syscallNumber(name: string): number {
  const number =
    x86_64Syscalls.numberOf(name) ?? Number(/^syscall_(0x[0-9a-f]+)$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(number)) throw new Error(`strace names a call that the table does not have: ${name}`);
  return number;
}

interface Process {
  execution: { path: string; argv: string; calls: Set<number>; calls32: Set<string>; opened: Set<string> };
  /** Undefined once it is not known. */
  cwd: string | undefined;
  /** Absolute paths of open files, by descriptor: `fexecve` names its program by one. */
  readonly files: Map<number, string>;
}

/** What an `execve` or `execveat` executes, as far as the log tells: `?/…` where it does not. */
function executedPath(text: string, name: string, process: Process | undefined): string {
  if (/^\/proc\/(self|thread-self)\/exe$/.test(name)) return process?.execution.path ?? '';
  if (name.startsWith('/')) return name;
  const descriptor = /^execveat\((\d+),/.exec(text)?.[1];
  if (descriptor !== undefined && name === '') return process?.files.get(Number(descriptor)) ?? '?/';
  return descriptor !== undefined || process?.cwd === undefined ? `?/${name}` : `${process.cwd}/${name}`;
}

/**
 * Attributes the calls of a log to programs: those after a successful `execve` belong to the new program, those of
 * a child before it to its parent's. The `execve` itself is the old program's; the log's first one has no program,
 * and what a caller does between fork and execve is its own. `restart_syscall`, which the kernel makes, is left out.
 * @param log what `strace -f -o FILE` wrote, one command from its start, in `cwd` /
 * @throws Error for a process whose parent is not in the log, and for names that the table does not have
 */
export function readStraceLog(log: string): Execution[] {
  const lines = readLines(log);
  const executions: Process['execution'][] = [];
  const processes = new Map<number, Process>();
  const begin = (path: string, argv: string, from?: Process): Process => {
    const execution = {
      path,
      argv,
      calls: new Set<number>(),
      calls32: new Set<string>(),
      opened: new Set<string>(),
    };
    executions.push(execution);
    return { execution, cwd: from ? from.cwd : '/', files: new Map(from?.files) };
  };
  for (const line of lines) {
    const { name, pid, text } = line;
    const process = processes.get(pid);
    if (!process && executions.length > 0) {
      throw new Error(
        `strace tells of process ${pid}, which nothing in the log has started: ${text.slice(0, 200)}`,
      );
    }
    if (process) {
      if (line.is32) process.execution.calls32.add(name);
      else if (name !== 'restart_syscall') process.execution.calls.add(syscallNumber(name));
    }
    if (line.result === undefined || line.result < 0) continue;
    const [first = '', ...others] = strings(text);
    if (name === 'execve' || name === 'execveat') {
      processes.set(line.endedBy, begin(executedPath(text, first, process), others.join(' '), process));
    } else if (!process) continue;
    // The child's own lines come later, whatever its parent has become by then.
    else if (forks.has(name) && line.result > 0) {
      processes.set(line.result, { ...process, files: new Map(process.files) });
    } else if (name === 'chdir') {
      process.cwd = first.startsWith('/') ? first : process.cwd && `${process.cwd}/${first}`;
    } else if (name === 'fchdir' || name === 'chroot') process.cwd = undefined;
    else if (name === 'close') process.files.delete(Number(/^close\((\d+)/.exec(text)?.[1]));
    else if ((name === 'openat' || name === 'open') && first.startsWith('/')) {
      process.execution.opened.add(first);
      process.files.set(line.result, first);
    }
  }
  return executions;
}
