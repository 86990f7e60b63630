import type { FileTree } from '@prof-gen/core';

/** As many interpreters as the kernel follows (fs/exec.c). */
const maximumInterpreters = 5;

/**
 * The ELF file that the kernel runs for `execve` of `path`: links followed, and the interpreters of `#!` lines.
 * Undefined for a file that the tree does not have: it was written after the start.
 */
export async function executedProgram(tree: FileTree, path: string): Promise<string | undefined> {
  let at = path;
  for (let depth = 0; depth <= maximumInterpreters; depth++) {
    const found = tree.resolve(at);
    if (!found.ok || found.entry.type !== 'file') return undefined;
    if (found.entry.kind === 'elf') return found.entry.path;
    const head = new TextDecoder().decode((await tree.read(found.entry)).subarray(0, 256));
    const interpreter = /^#!\s*(\S+)/.exec(head)?.[1];
    if (interpreter === undefined) return undefined;
    at = interpreter;
  }
  return undefined;
}
