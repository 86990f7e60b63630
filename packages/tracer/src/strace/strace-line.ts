/** What a line of strace says, as far as it is needed here. Arguments are as strace printed them. */
export type StraceLine = {
  /** Undefined where the log has no process numbers: one process, or a file for each (`-ff`). */
  readonly pid: number | undefined;
  /** Seconds since the epoch (`-ttt`). */
  readonly time: number | undefined;
} & (
  | {
      readonly kind: 'call';
      readonly name: string;
      /** `-n`. */
      readonly number: number | undefined;
      /** From the opening parenthesis to the end of the line. */
      readonly rest: string;
      /** Whether the call goes on in a later line, and of which process: an exec by a thread ends as its leader. */
      readonly unfinished: false | 'same' | number;
    }
  | { readonly kind: 'resumed'; readonly name: string; readonly rest: string }
  | { readonly kind: 'mode'; readonly process: number; readonly abi: 'x86-64' | 'i386' | 'x32' }
  | { readonly kind: 'end' }
  /** Signals, stacks (`-k`), and what strace says of itself. */
  | { readonly kind: 'other' }
);

/** With `-Y` the task's name as well, which strace does not always read anew after an exec: it is not used. */
const process = String.raw`(?:\[pid +(\d+)(?:<(?:[^<>\\]|\\.)*>)?\] |(\d+)(?:<(?:[^<>\\]|\\.)*>)? +)?`;
/** `-t`, `-tt`, `-ttt`, `-r`, and both together. */
const clock = String.raw`(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|(\d{9,}(?:\.\d+)?)|(?<= |^) *\d{1,6}\.\d{3,9}) +(?:\(\+ +\d+\.\d+\) )?)?`;
/** `-i`. */
const place = String.raw`(?:\[(?:[0-9a-f]{8}|[0-9a-f]{16}|\?{8,16})\] )?`;
/** `-n`; numbers of x32 have ten digits. */
const number = String.raw`(?:\[( *\d{1,4}|\d{10})\] )?`;
const head = new RegExp(`^${process}${clock}${place}${number}${place}`);
const call = /^([a-z_][a-z0-9_]{0,63})\(/;
const resumed = /^<\.\.\. ([a-z_][a-z0-9_]{0,63}|\?{4}) resumed>/;
const mode = /^\[ Process PID=(\d+) runs in (32|64|x32) bit mode\. \]/;
const moved = /<pid changed to (\d+) \.\.\.>$/;
const abis = { 32: 'i386', 64: 'x86-64', x32: 'x32' } as const;

/**
 * Reads a line of strace, with or without `-f`, `-ff`, `-t`, `-tt`, `-ttt`, `-r`, `-i`, `-n`, `-y`, `-Y`, `-T`, `-v`,
 * `-x`, `-k` and `-o` (strace(1)). strace escapes what stands in strings, names and paths, so that no program can
 * forge a line. Undefined for what strace does not write.
 */
export function parseStraceLine(line: string): StraceLine | undefined {
  const found = head.exec(line);
  const [whole = '', pidA, pidB, epoch, digits] = found ?? [];
  const pid = pidA ?? pidB;
  const common = {
    pid: pid === undefined ? undefined : Number(pid),
    time: epoch === undefined ? undefined : Number(epoch),
  };
  const text = line.slice(whole.length);
  const called = call.exec(text);
  if (called) {
    const rest = text.slice(called[0].length - 1);
    const leader = moved.exec(rest)?.[1];
    return {
      ...common,
      kind: 'call',
      name: called[1] ?? '',
      number: digits === undefined ? undefined : Number(digits),
      rest,
      unfinished:
        leader === undefined ? (rest.endsWith('<unfinished ...>') ? 'same' : false) : Number(leader),
    };
  }
  const again = resumed.exec(text);
  if (again) {
    return { ...common, kind: 'resumed', name: again[1] ?? '', rest: text.slice(again[0].length) };
  }
  const change = mode.exec(text);
  if (change) {
    return {
      ...common,
      kind: 'mode',
      process: Number(change[1]),
      abi: abis[change[2] as keyof typeof abis],
    };
  }
  if (/^\+\+\+ (exited with \d+|killed by \w+( \(core dumped\))?) \+\+\+/.test(text)) {
    return { ...common, kind: 'end' };
  }
  const known =
    /^--- .* ---$/.test(text) ||
    /^\+\+\+ superseded by execve in pid \d+ \+\+\+/.test(text) ||
    /^ > /.test(line) ||
    /^\?{4}\(/.test(text) ||
    line.startsWith('strace: ');
  return known ? { ...common, kind: 'other' } : undefined;
}

/** Whether strace wrote a line, and whether it says whose it is. A line about a signal or a stack alone does not tell. */
export function isStraceLine(line: string): false | 'numbered' | 'plain' {
  const seen = parseStraceLine(line);
  if (seen === undefined || seen.kind === 'other') return false;
  return seen.pid === undefined ? 'plain' : 'numbered';
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  v: '\v',
  f: '\f',
  a: '\u0007',
  b: '\b',
};

/** The bytes of a string as strace escapes it (octal, `-x` hexadecimal, C's letters), as UTF-8. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: Buffer[] = [];
  for (const [part, octal, hex, letter, plain] of text.matchAll(
    /\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))|([^\\]+)/gs,
  )) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]));
    else if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (letter !== undefined) bytes.push(Buffer.from(escapes[letter] ?? letter));
    else bytes.push(Buffer.from(plain ?? part));
  }
  return Buffer.concat(bytes).toString('utf8');
}

/** What follows the `=` after a call's arguments, which may hold what looks like it; undefined when there is none. */
export function resultOf(rest: string): string | undefined {
  const bare = rest.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/<(?:[^<>\\]|\\.)*>/g, '<>');
  return /\) += (-?[0-9a-fx]+|\?)/.exec(bare)?.[1];
}

/** Name of the error of a failed call. */
export function errnoOf(rest: string): string | undefined {
  const bare = rest.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/<(?:[^<>\\]|\\.)*>/g, '<>');
  return /\) += -1 ([A-Z][A-Z0-9]*)\b/.exec(bare)?.[1];
}

const string = String.raw`"((?:[^"\\]|\\.)*)"`;
const stringAt = new RegExp(`^${string}(?:\\.\\.\\.)?`);
/** Words of one argument vector that are read. */
const maxWords = 4_096;

export interface ExecArguments {
  /** As given to the kernel; empty for a descriptor alone. */
  readonly path: string;
  /** What `-y` tells of the descriptor of `execveat`: a file, or the directory that `path` starts in. */
  readonly descriptor: string | undefined;
  readonly argv: readonly string[];
}

/** Arguments of `execve` and `execveat`; undefined where strace could not read them. */
export function execArguments(name: string, rest: string): ExecArguments | undefined {
  let text = rest.slice(1);
  let descriptor: string | undefined;
  if (name === 'execveat') {
    const first = /^(?:\d+|AT_FDCWD)(?:<((?:[^<>\\]|\\.)*)>)?, /.exec(text);
    if (!first) return undefined;
    descriptor = first[1] === undefined ? undefined : unescaped(first[1]);
    text = text.slice(first[0].length);
  }
  const path = stringAt.exec(text);
  if (!path) return undefined;
  text = text.slice(path[0].length);
  const argv: string[] = [];
  if (text.startsWith(', [')) {
    text = text.slice(3);
    for (let word = stringAt.exec(text); word && argv.length < maxWords; word = stringAt.exec(text)) {
      argv.push(unescaped(word[1] ?? ''));
      text = text.slice(word[0].length);
      if (!text.startsWith(', ')) break;
      text = text.slice(2);
    }
  }
  return { path: unescaped(path[1] ?? ''), descriptor, argv };
}

/** The path that `chdir`, or the descriptor that `fchdir` with `-y`, goes to. */
export function directoryArgument(name: string, rest: string): string | undefined {
  const found = name === 'chdir' ? stringAt.exec(rest.slice(1)) : /^\(\d+<((?:[^<>\\]|\\.)*)>/.exec(rest);
  return found?.[1] === undefined ? undefined : unescaped(found[1]);
}

/** The name that `prctl(PR_SET_NAME)` gives to its task. */
export function nameOfTask(rest: string): string | undefined {
  const name = /^\(PR_SET_NAME, "((?:[^"\\]|\\.)*)"/.exec(rest)?.[1];
  return name === undefined ? undefined : unescaped(name);
}

/** The file that an `mmap` with `-y` maps executable. */
export function executableMapping(rest: string): string | undefined {
  if (!rest.includes('PROT_EXEC') || rest.includes('MAP_ANON')) return undefined;
  const path = /, \d+<((?:[^<>\\]|\\.)*)>(?:\(deleted\))?, /.exec(rest)?.[1];
  return path === undefined ? undefined : unescaped(path);
}
