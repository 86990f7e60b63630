import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LinkedObject, x86_64Syscalls } from '@prof-gen/core';
import type { LinkInput } from '../src/link/bind-symbols.js';
import { linkProgram } from '../src/link/link-program.js';
import type { FileSummary } from '../src/summary/file-summary.js';
import { summarize } from '../src/summary/summarize.js';

const libraries = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib',
  '/usr/lib',
  '/usr/lib/x86_64-linux-musl',
];

/** A program of this machine with what it is linked to, in load order. Its default directories are enough here. */
export function closure(
  program: string,
  summarizer: (bytes: Uint8Array, path: string) => FileSummary,
): LinkInput {
  const objects: LinkInput['objects'][number][] = [];
  const add = (path: string, role: LinkedObject['role']): void => {
    const real = realpathSync(path);
    if (objects.some(({ object }) => object.path === real)) return;
    objects.push({ object: { path: real, sha256: '', role }, summary: summarizer(readFileSync(real), real) });
  };
  add(program, 'program');
  const interpreter = objects[0]?.summary.interpreter;
  for (let i = 0; i < objects.length; i++) {
    for (const name of objects[i]?.summary.needed ?? []) {
      const found = libraries.map((d) => join(d, name)).find((path) => existsSync(path));
      if (found && interpreter?.includes('ld-linux') && !name.startsWith('ld-linux')) add(found, 'needed');
    }
  }
  if (interpreter) add(interpreter, 'interpreter');
  return { program, objects };
}

/** The calls of a program of this machine, by number and by name. */
export function analyse(
  program: string,
  summarizer: (bytes: Uint8Array, path: string) => FileSummary = (bytes) => summarize(bytes),
) {
  const result = linkProgram(closure(program, summarizer));
  return { ...result, names: result.syscalls.map(({ number }) => x86_64Syscalls.nameOf(number) ?? '') };
}

/** Names of the calls that strace sees, without the `execve` that starts the program. */
export function traced(program: string, ...args: string[]): string[] {
  return tracedFor(60, program, ...args);
}

/** As `traced`, for a server: it is ended after some seconds. */
export function tracedFor(seconds: number, program: string, ...args: string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'prof-gen-trace-'));
  const log = join(directory, 'trace');
  try {
    // strace itself does not heed a signal while it writes to a file: `timeout` sends it to the program as well.
    const strace = ['strace', '-f', '-qq', '-o', log, program, ...args];
    try {
      execFileSync('timeout', ['-k', '5', `${seconds}`, ...strace], { stdio: 'ignore' });
    } catch (error) {
      // The program's own failure is fine; strace itself must have run.
      if (!existsSync(log)) throw error;
    }
    const lines = readFileSync(log, 'latin1').split('\n').slice(1);
    const names = lines.flatMap((line) => /^\d+\s+(\w+)\(/.exec(line)?.[1] ?? []);
    return [...new Set(names)].filter((name) => name !== 'restart_syscall').sort();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
