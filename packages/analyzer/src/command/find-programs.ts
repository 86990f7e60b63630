import { posix } from 'node:path';
import {
  type FileEntry,
  type FileTree,
  type ObservedProgram,
  ProfGenError,
  type ProgramOrigin,
  printable,
  type RunCommand,
  type Undecided,
} from '@prof-gen/core';
import { dialectOf } from '../script/shell-builtins.js';
import type { Word, Words } from '../script/shell-state.js';
import { walkShell } from '../script/shell-walk.js';
import { anyOf, unknown, type Value } from '../script/value.js';
import { defaultPath, findExecutable, requireExecutable } from './find-executable.js';
import { launchRules } from './launch-rules.js';
import { parseShebang } from './shebang.js';
import { innerCommands } from './wrappers.js';

/** What of a program's environment decides which objects are loaded into it. */
export interface LoaderEnvironment {
  readonly libraryPath: string;
  readonly preload: string;
}

export interface FoundProgram {
  /** Of the ELF file, links resolved. */
  readonly path: string;
  /** Other paths that it was started by, before links were followed; sorted. */
  readonly calledAs: readonly string[];
  readonly entry: FileEntry;
  readonly origin: ProgramOrigin;
  /** The distinct environments it is started with. */
  readonly environments: readonly LoaderEnvironment[];
  /** Variables of its first start whose values are known. */
  readonly env: ReadonlyMap<string, string>;
}

export interface ProgramsInput {
  readonly tree: FileTree;
  readonly command: RunCommand;
  /** As Docker writes it: `[]`, `['NONE']`, `['CMD', …]` or `['CMD-SHELL', line]`. */
  readonly healthcheck: readonly string[];
  /** Runs the line of a `CMD-SHELL` health check, such as `['/bin/sh', '-c']`. */
  readonly shell: readonly string[];
  readonly observed?: readonly ObservedProgram[];
}

export interface FoundPrograms {
  /** In the order in which they would be executed; see `findPrograms`. */
  readonly programs: readonly FoundProgram[];
  readonly undecided: readonly Undecided[];
}

/** A script of more bytes than this is not followed. */
const maximumScript = 1024 * 1024;
/** Scripts and wrappers that start each other deeper than this are not followed. */
const maximumDepth = 16;
/** Nesting of `#!` lines that the kernel follows (fs/exec.c, exec_binprm). */
const maximumInterpreters = 5;
/** Commands looked at in all. */
const maximumSteps = 50_000;
const maximumPrograms = 512;
/** Paths kept of one program. */
const maximumNames = 512;
const maximumUndecided = 1000;

/** Interpreters that are not shells, by base name: what their programs start is not followed. */
const otherInterpreter =
  /^(python|perl|ruby|node|nodejs|php|lua|luajit|tclsh|java|erl|escript|elixir|Rscript|guile|gjs|execlineb|deno|bun)[\d.]*$/;

/** A program while more of it may be found. */
interface Found extends Omit<FoundProgram, 'calledAs'> {
  readonly names: Set<string>;
  readonly environments: LoaderEnvironment[];
}

/** How a command came to be started. */
interface Start {
  /** Files on the way, the newest last. */
  readonly chain: readonly string[];
  readonly root:
    | 'run-command'
    | 'healthcheck'
    | { readonly phase: string }
    | { readonly program: string; readonly reason: string };
  /** Set within scripts. */
  readonly script?: { readonly path: string; readonly line: number };
  readonly env: ReadonlyMap<string, Value>;
  readonly cwd: string | undefined;
  readonly depth: number;
}

function environmentOf(lines: readonly string[]): Map<string, Value> {
  const env = new Map<string, Value>();
  for (const line of lines) {
    const equals = line.indexOf('=');
    if (equals > 0) env.set(line.slice(0, equals), anyOf([line.slice(equals + 1)], false));
  }
  if (!env.has('PATH')) env.set('PATH', anyOf([defaultPath], false));
  if (!env.has('HOME')) env.set('HOME', unknown);
  return env;
}

function originOf(start: Start): ProgramOrigin {
  if (typeof start.root === 'object' && 'phase' in start.root) {
    return { kind: 'traced', phase: start.root.phase };
  }
  if (start.script !== undefined) {
    return { kind: 'script', script: printable(start.script.path), line: start.script.line };
  }
  if (typeof start.root === 'object') {
    return { kind: 'started', program: printable(start.root.program), reason: start.root.reason };
  }
  return { kind: start.root, chain: start.chain.map((path) => printable(path)) };
}

/**
 * The programs that a run command, its scripts and wrappers, and the health check may start, and then those
 * that were seen in a trace and were not found by reading.
 *
 * Programs stand in the order found. A run command that is an ELF file comes first itself; one that is a
 * script is executed by its interpreter, which therefore comes first, then what the script leads to from
 * top to bottom; a wrapper such as `tini` comes before what it starts. Each ELF file stands once.
 * Nothing is executed.
 * @throws ProfGenError `analysis/command-not-found`, `analysis/command-is-directory`, `analysis/not-executable`,
 * `analysis/exec-format`, `analysis/interpreter-not-found`, `analysis/interpreters-too-deep` for the run command's
 * own file, `analysis/no-program` when it leads to no ELF file at all; whatever else cannot be found is `undecided`
 */
export async function findPrograms(input: ProgramsInput): Promise<FoundPrograms> {
  const { tree, command } = input;
  const programs = new Map<string, Found>();
  const undecided = new Map<string, Undecided>();
  const visited = new Set<string>();
  const launchables = new Map<RegExp, readonly FileEntry[]>();
  let steps = 0;

  function undecide(
    kind: Undecided['kind'],
    where: string,
    what: string,
    reason: string,
    line?: number,
  ): void {
    const entry: Undecided = {
      kind,
      where: printable(where),
      ...(line === undefined ? {} : { line }),
      what: printable(what),
      reason: printable(reason),
    };
    if (undecided.size < maximumUndecided) undecided.set(JSON.stringify(entry), entry);
  }

  function step(where: string): boolean {
    steps += 1;
    if (steps === maximumSteps) {
      undecide('script', where, 'the rest', `more than ${maximumSteps} commands were followed; no more are`);
    }
    return steps < maximumSteps;
  }

  /** The first of a value's alternatives, for what can have only one. */
  const single = (value: Value | undefined): string | undefined => value?.alternatives?.[0];

  /** @param calledAs the path that was looked up; a trace knows only the file's own */
  function addProgram(entry: FileEntry, calledAs: string, start: Start): void {
    const { env } = start;
    const paths = env.get('LD_LIBRARY_PATH')?.alternatives ?? [''];
    const preloads = env.get('LD_PRELOAD')?.alternatives ?? [''];
    let program = programs.get(entry.path);
    if (program === undefined) {
      if (programs.size >= maximumPrograms) {
        undecide('program', whereOf(start), entry.path, `there are more than ${maximumPrograms} programs`);
        return;
      }
      const known = new Map<string, string>();
      for (const [name, value] of env) {
        if (value.alternatives?.length === 1) known.set(name, value.alternatives[0] as string);
      }
      program = {
        path: entry.path,
        names: new Set(),
        entry,
        origin: originOf(start),
        environments: [],
        env: known,
      };
      programs.set(entry.path, program);
    }
    if (calledAs !== entry.path && program.names.size < maximumNames) program.names.add(calledAs);
    for (const libraryPath of paths) {
      for (const preload of preloads) {
        const isKnown = program.environments.some(
          (one) => one.libraryPath === libraryPath && one.preload === preload,
        );
        if (!isKnown && program.environments.length < 16) program.environments.push({ libraryPath, preload });
      }
    }
  }

  function whereOf(start: Start): string {
    return start.script?.path ?? start.chain.at(-1) ?? 'run command';
  }

  async function readText(entry: FileEntry, where: string, line?: number): Promise<string | undefined> {
    if (entry.size > maximumScript) {
      undecide('script', where, entry.path, `it is larger than ${maximumScript} bytes`, line);
      return undefined;
    }
    try {
      return new TextDecoder().decode(await tree.read(entry));
    } catch (error) {
      undecide('script', where, entry.path, error instanceof ProfGenError ? error.code : 'unreadable', line);
      return undefined;
    }
  }

  /** Starts `words` as execvp(3) would. */
  async function execute(words: Words, start: Start): Promise<void> {
    const where = whereOf(start);
    const line = start.script?.line;
    const [name] = words;
    if (name === undefined) {
      undecide('command', where, 'a command', 'which program is started is decided at run time', line);
      return;
    }
    if (!step(where)) return;
    if (start.depth > maximumDepth) {
      undecide('command', where, name, 'commands start each other too deeply to be followed', line);
      return;
    }
    if (name.includes('/') && !name.startsWith('/') && start.cwd === undefined) {
      undecide('command', where, name, 'the working directory is not known', line);
      return;
    }
    const found = lookUp(name, start.env.get('PATH') ?? unknown, start.cwd);
    if (found === undefined) {
      undecide('program', where, name, 'the image has no such program', line);
      return;
    }
    await executeFile(found.path, found.entry, words, start, 0);
  }

  function lookUp(name: string, path: Value, cwd: string | undefined) {
    for (const one of path.alternatives ?? [defaultPath]) {
      const found = findExecutable(tree, name, one, cwd ?? '/');
      if (found.ok) return found;
    }
    return undefined;
  }

  /**
   * @param path as it was found, links not followed: wrappers go by their name, scripts see it as `$0`
   * @param interpreters how many `#!` lines led here
   */
  async function executeFile(
    path: string,
    entry: FileEntry,
    words: Words,
    start: Start,
    interpreters: number,
  ): Promise<void> {
    const isFirst = start.root === 'run-command' && start.chain.length === interpreters;
    const key = JSON.stringify([
      entry.path,
      path,
      words.map((word) => word ?? null),
      start.cwd ?? null,
      ['PATH', 'LD_LIBRARY_PATH', 'LD_PRELOAD'].map((name) => start.env.get(name)?.alternatives ?? null),
    ]);
    if (visited.has(key)) return;
    visited.add(key);
    const below: Start = { ...start, chain: [...start.chain, path], depth: start.depth + 1 };
    if (entry.kind === 'elf') {
      addProgram(entry, path, below);
      await executeInner(path, entry, words, below);
      await launch(entry.path, below);
      return;
    }
    if (entry.kind === undefined) {
      if (isFirst) throw notExecutable(path);
      undecide(
        'program',
        whereOf(start),
        path,
        'the file is neither an ELF file nor a script',
        start.script?.line,
      );
      return;
    }
    const text = await readText(entry, whereOf(start), start.script?.line);
    if (text === undefined) return;
    const shebang = parseShebang(new TextEncoder().encode(text.slice(0, 1024)));
    if (shebang === undefined) {
      // The kernel says ENOEXEC. A shell, or execvp(3), then reads the file as a script; a runtime does not.
      if (isFirst) throw notExecutable(path);
      const shell = lookUp('/bin/sh', unknown, '/');
      if (shell === undefined) return;
      await executeFile(shell.path, shell.entry, ['/bin/sh', path, ...words.slice(1)], below, interpreters);
      return;
    }
    if (interpreters >= maximumInterpreters) {
      if (isFirst) {
        throw new ProfGenError(
          'analysis/interpreters-too-deep',
          `${printable(path)} is interpreted by a script that is interpreted by a script, more than ${maximumInterpreters} deep: the kernel refuses it`,
          { hint: 'let the #! line name a program, or say after `--` which program the container runs' },
        );
      }
      undecide('script', whereOf(start), path, 'interpreters of interpreters go too deep for the kernel');
      return;
    }
    // The kernel takes the interpreter as a path: PATH is not used.
    const interpreter = findExecutable(
      tree,
      `./${shebang.interpreter}`.replace(/^\.\/\//, '/'),
      '',
      start.cwd ?? '/',
    );
    if (!interpreter.ok) {
      if (isFirst) {
        throw new ProfGenError(
          'analysis/interpreter-not-found',
          `${printable(path)} wants ${printable(shebang.interpreter)} on its first line, which the image does not have`,
          { hint: 'the container cannot start; say after `--` which program it runs' },
        );
      }
      undecide('program', path, shebang.interpreter, 'the interpreter of the script is not in the image', 1);
      return;
    }
    const argument = shebang.argument === undefined ? [] : [shebang.argument];
    await executeFile(
      interpreter.path,
      interpreter.entry,
      [shebang.interpreter, ...argument, path, ...words.slice(1)],
      below,
      interpreters + 1,
    );
    await launch(entry.path, below);
  }

  function notExecutable(path: string): ProfGenError {
    return new ProfGenError(
      'analysis/exec-format',
      `${printable(path)} is neither an ELF file nor a script with a #! line: the kernel cannot execute it`,
      {
        hint: 'give the script a first line such as #!/bin/sh, or say after `--` which program the container runs',
      },
    );
  }

  /** What a program starts by its own job: shells read scripts, wrappers start commands. */
  async function executeInner(path: string, entry: FileEntry, words: Words, start: Start): Promise<void> {
    const called = posix.basename(words[0] === undefined ? path : words[0].replace(/^-/, ''));
    const own = posix.basename(path);
    const isBusybox = posix.basename(entry.path).startsWith('busybox');
    const name = isBusybox && called !== own ? called : own;
    const dialect = dialectOf(isBusybox ? name : posix.basename(entry.path));
    if (dialect !== undefined) {
      await executeShell(words, start, dialect);
      return;
    }
    const interpreter = posix.basename(entry.path);
    if (otherInterpreter.test(interpreter) && words.length > 1) {
      const operand = words.slice(1).find((word) => word !== undefined && !word.startsWith('-'));
      const script =
        operand === undefined ? undefined : tree.resolve(posix.resolve(start.cwd ?? '/', operand));
      undecide(
        'script',
        script?.ok && script.entry.type === 'file' ? script.entry.path : whereOf(start),
        interpreter,
        `what a program in ${interpreter} starts by itself is left to the trace`,
      );
      if (script?.ok) await launch(script.entry.path, start);
    }
    const variable = (wanted: string): string | undefined => single(start.env.get(wanted));
    for (const inner of innerCommands(name, words, variable)) {
      if (inner.kind === 'words') {
        // An applet of busybox runs in busybox itself, under its own name.
        if (name === 'busybox' && inner.words[0] !== undefined) {
          await executeApplet(inner.words[0], inner.words, path, entry, start);
          continue;
        }
        const env = new Map(start.env);
        for (const [assigned, value] of inner.assigned) {
          env.set(assigned, value === undefined ? unknown : anyOf([value], false));
        }
        await execute(inner.words, { ...start, env });
        continue;
      }
      const shell = inner.shell ?? (await loginShell());
      await execute(inner.line === '' ? [shell] : [shell, '-c', inner.line], start);
    }
  }

  /** The files that a pattern of a rule is about, sorted by path; the tree is gone through once for each pattern. */
  function filesLike(pattern: RegExp | undefined): readonly FileEntry[] {
    if (pattern === undefined) return [];
    let found = launchables.get(pattern);
    if (found === undefined) {
      found = [...tree.entries()]
        .filter((entry): entry is FileEntry => entry.type === 'file' && pattern.test(entry.path))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
      launchables.set(pattern, found);
    }
    return found;
  }

  /** What a program starts by its own job, once for each program. Its arguments are not known. */
  async function launch(program: string, start: Start): Promise<void> {
    if (visited.has(`launch ${program}`)) return;
    visited.add(`launch ${program}`);
    const home = `${posix.dirname(posix.dirname(program))}/`.replace('//', '/');
    for (const rule of launchRules) {
      if (!rule.program.test(program)) continue;
      const { script: _, ...rest } = start;
      // A job is begun once for each program, so that however far it leads is no cycle.
      const below: Start = { ...rest, root: { program, reason: rule.reason }, cwd: undefined, depth: 0 };
      const files = filesLike(rule.files)
        .filter(({ mode }) => (mode & 0o111) !== 0)
        .filter(({ path }) => rule.besideProgram !== true || path.startsWith(home))
        .map((entry) => ({ path: entry.path, entry }));
      const named = (rule.names ?? []).flatMap(
        (name) => lookUp(name, start.env.get('PATH') ?? unknown, '/') ?? [],
      );
      for (const { path, entry } of [...files, ...named]) {
        if (entry.kind === 'elf') {
          addProgram(entry, path, below);
          await launch(entry.path, below);
        } else await executeFile(path, entry, [path, undefined], below, 0);
      }
      for (const { path } of filesLike(rule.scripts)) await execute(['/bin/bash', path, undefined], below);
    }
  }

  async function executeApplet(applet: string, words: Words, path: string, entry: FileEntry, start: Start) {
    const dialect = dialectOf(applet);
    if (dialect !== undefined) {
      await executeShell(words, start, 'posix');
      return;
    }
    if (applet === 'busybox') return;
    const variable = (wanted: string): string | undefined => single(start.env.get(wanted));
    for (const inner of innerCommands(applet, words, variable)) {
      await execute(inner.kind === 'words' ? inner.words : [path, 'sh', '-c', inner.line], start);
    }
    addProgram(entry, path, start);
  }

  /** Shell that `su` starts. Users whose shell forbids a login are of no use to `su`: root's is taken. */
  async function loginShell(): Promise<string> {
    const passwd = tree.resolve('/etc/passwd');
    const text = passwd.ok && passwd.entry.digest ? await readText(passwd.entry, '/etc/passwd') : undefined;
    const root = text?.split('\n').find((line) => line.startsWith('root:'));
    return root?.split(':')[6] || '/bin/sh';
  }

  /** `sh [options] [-c line [name]] [file] [args]` (sh(1), bash(1)). */
  async function executeShell(words: Words, start: Start, dialect: 'posix' | 'bash'): Promise<void> {
    const args = words.slice(1);
    let isLine = false;
    let at = 0;
    for (; at < args.length; at++) {
      const word = args[at];
      if (word === '--' || word === '-') {
        at += 1;
        break;
      }
      if (word === undefined || !/^[-+]./.test(word)) break;
      if (word.startsWith('--')) {
        if (/^--(rcfile|init-file)$/.test(word)) at += 1;
        continue;
      }
      if (/^-\w*c/.test(word)) isLine = true;
      if (/^[-+]\w*[oO]$/.test(word)) at += 1;
    }
    const startFile = single(start.env.get(dialect === 'bash' ? 'BASH_ENV' : 'ENV'));
    if (dialect === 'bash' && startFile) {
      await walkFile(startFile, startFile, [], start, dialect);
    }
    const [subject, ...rest] = args.slice(at);
    const where = whereOf(start);
    if (at >= args.length) {
      // An interactive shell, or commands on standard input.
      undecide(
        'command',
        where,
        'commands of a shell',
        'the shell reads its commands when it runs',
        start.script?.line,
      );
      return;
    }
    if (subject === undefined) {
      undecide(
        'script',
        where,
        'a script',
        'what the shell reads is decided at run time',
        start.script?.line,
      );
      return;
    }
    if (isLine) {
      if (subject.trim() === '') {
        undecide(
          'command',
          where,
          'a line for the shell',
          'it is empty unless a variable is set',
          start.script?.line,
        );
        return;
      }
      const [name, ...given] = rest;
      await walk(
        subject,
        start.script?.path ?? start.chain.at(-1) ?? where,
        start.script?.line ?? 1,
        name ?? words[0] ?? 'sh',
        given,
        start,
        dialect,
        true,
      );
      return;
    }
    const inCwd =
      start.cwd === undefined && !subject.startsWith('/')
        ? undefined
        : posix.resolve(start.cwd ?? '/', subject);
    let path = inCwd;
    if ((path === undefined || !tree.resolve(path).ok) && !subject.includes('/')) {
      path = lookUp(subject, start.env.get('PATH') ?? unknown, start.cwd)?.path;
    }
    if (path === undefined) {
      undecide('script', where, subject, 'the script is not in the image', start.script?.line);
      return;
    }
    await walkFile(path, subject, rest, start, dialect);
  }

  async function walkFile(
    path: string,
    name: string,
    args: Words,
    start: Start,
    dialect: 'posix' | 'bash',
  ): Promise<void> {
    const found = tree.resolve(path);
    if (!found.ok || found.entry.type !== 'file') {
      undecide('script', whereOf(start), path, 'the script is not in the image', start.script?.line);
      return;
    }
    const text = await readText(found.entry, whereOf(start), start.script?.line);
    if (text !== undefined) await walk(text, path, 1, name, args, start, dialect);
  }

  async function walk(
    text: string,
    file: string,
    line: number,
    name: string,
    args: readonly Word[],
    start: Start,
    dialect: 'posix' | 'bash',
    isLine = false,
  ): Promise<void> {
    // Several runs of one script differ by their arguments alone; the same run twice is a cycle.
    const key = JSON.stringify([
      'walk',
      isLine ? text : '',
      file,
      line,
      name,
      args.map((word) => word ?? null),
      start.cwd ?? null,
    ]);
    if (visited.has(key)) return;
    visited.add(key);
    if (start.depth > maximumDepth) {
      undecide('script', file, name, `scripts that start each other are followed ${maximumDepth} deep`, line);
      return;
    }
    await walkShell(
      { text, file, line, name, args, env: start.env, cwd: start.cwd, dialect },
      {
        tree,
        step: () => step(file),
        find: (wanted, path, cwd) => lookUp(wanted, path, cwd)?.path,
        undecided: (kind, at, what, reason) => undecide(kind, file, what, reason, at),
        run: (command, context) =>
          execute(command, {
            ...start,
            depth: start.depth + 1,
            // A line that the run command itself holds is no script: what it starts keeps the chain.
            ...(start.script === undefined && isLine && context.script === file
              ? {}
              : { script: { path: context.script, line: context.line } }),
            env: context.env,
            cwd: context.cwd,
          }),
        source: async (path, at) => {
          const found = tree.resolve(path);
          if (!found.ok || found.entry.type !== 'file') {
            undecide('script', file, path, 'the sourced file is not in the image', at);
            return undefined;
          }
          return readText(found.entry, file, at);
        },
      },
    );
  }

  const env = environmentOf(command.env);
  const cwd = posix.resolve('/', command.workingDir);
  const path = single(env.get('PATH')) ?? defaultPath;
  const [first = ''] = command.argv;
  const own = requireExecutable(tree, first, path, cwd);
  await executeFile(
    own.path,
    own.entry,
    command.argv,
    { chain: [], root: 'run-command', env, cwd, depth: 0 },
    0,
  );
  if (programs.size === 0) {
    throw new ProfGenError(
      'analysis/no-program',
      `${printable(own.path)} leads to no program that can be analysed`,
      {
        hint: 'say after `--` which program the container runs',
        details: { undecided: undecided.size },
      },
    );
  }

  const [kind, ...check] = input.healthcheck;
  if (kind === 'CMD' || kind === 'CMD-SHELL') {
    const words = kind === 'CMD' ? check : [...input.shell, check.join(' ')];
    if (words.length > 0) await execute(words, { chain: [], root: 'healthcheck', env, cwd, depth: 0 });
  }

  for (const seen of [...(input.observed ?? [])]) {
    const found = tree.resolve(seen.path);
    if (!found.ok || found.entry.type !== 'file') {
      undecide(
        'object',
        seen.path,
        seen.path,
        'it was executed and is not in the image: it was written at run time',
      );
      continue;
    }
    if (found.entry.kind === 'elf') {
      const start: Start = { chain: [], root: { phase: seen.phase }, env, cwd, depth: 0 };
      addProgram(found.entry, found.entry.path, start);
      await launch(found.entry.path, start);
    }
  }
  return {
    programs: [...programs.values()].map(({ names, ...program }) => ({
      ...program,
      calledAs: [...names].sort(),
    })),
    undecided: [...undecided.values()],
  };
}
