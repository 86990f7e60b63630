import type { FileTree } from './file-tree.js';

/** As many interpreters as the kernel follows (fs/exec.c). */
const maximumInterpreters = 5;

export interface ExecutedProgram {
  /** The ELF file that the kernel runs, links followed. */
  readonly path: string;
  /** What the kernel puts before a script's own path: each interpreter as written, with its argument. */
  readonly interpreters: readonly string[];
}

/**
 * What the kernel runs for `execve` of `path`: links followed, and the interpreters of `#!` lines
 * (fs/binfmt_script.c). Undefined for a file that the tree does not have or that is no program: it was written after
 * the start.
 */
export async function executedProgram(tree: FileTree, path: string): Promise<ExecutedProgram | undefined> {
  const interpreters: string[] = [];
  let at = path;
  for (let depth = 0; depth <= maximumInterpreters; depth++) {
    const found = tree.resolve(at);
    if (!found.ok || found.entry.type !== 'file') return undefined;
    if (found.entry.kind === 'elf') return { path: found.entry.path, interpreters };
    if (found.entry.digest === undefined) return undefined;
    const head = new TextDecoder().decode((await tree.read(found.entry)).subarray(0, 256));
    const [, interpreter, argument] = /^#![ \t]*([^ \t\n]+)[ \t]*([^\n]*)/.exec(head) ?? [];
    if (interpreter === undefined) return undefined;
    const trimmed = argument?.replace(/[ \t]+$/, '') ?? '';
    interpreters.unshift(...(trimmed === '' ? [interpreter] : [interpreter, trimmed]));
    at = interpreter;
  }
  return undefined;
}
