import { posix } from 'node:path';
import type { FileTree } from '@prof-gen/core';
import type { LateFile } from './late-files.js';

/** Where glibc keeps its converters, by distribution. */
const directories = [
  '/usr/lib/x86_64-linux-gnu/gconv',
  '/usr/lib64/gconv',
  '/usr/lib/gconv',
  '/lib/x86_64-linux-gnu/gconv',
];

/** Character sets that libc converts itself (iconv/gconv_builtin.h). */
const builtin = /^(utf-?8|utf8|ascii|us-ascii|ansi_x3\.4-1968|c|posix)$/i;

/** Whether the locale that the environment asks for needs a converter. */
function needsConverter(env: ReadonlyMap<string, string>): boolean {
  const locale = env.get('LC_ALL') || env.get('LC_CTYPE') || env.get('LANG') || 'C';
  const charset = /\.([^@]+)/.exec(locale)?.[1] ?? (/^(C|POSIX)$/.test(locale) ? 'C' : 'ISO-8859-1');
  return !builtin.test(charset);
}

/** Libraries that convert from and to the character set of the locale, not to whatever a program names. */
const localeOnly = /^lib(idn2|unistring|stdc\+\+)\.so/;

/**
 * Converters that libc may open: all that the image has, for programs that give `iconv_open` whatever names
 * they like, or whose locale has a character set of its own.
 * @param callers sonames or base names of the objects with reachable calls of `iconv_open`
 * @param env the program's environment as far as it is known
 */
export function characterSetObjects(
  tree: FileTree,
  callers: readonly string[],
  env: ReadonlyMap<string, string>,
): readonly LateFile[] {
  const asks = callers.some((name) => !localeOnly.test(name));
  if (!asks && !needsConverter(env)) return [];
  const reason = asks ? 'iconv_open loads converters' : 'the locale of the environment needs a converter';
  const found = new Map<string, LateFile>();
  for (const directory of directories) {
    for (const entry of tree.list(directory)) {
      if (entry.type === 'file' && entry.kind === 'elf' && posix.extname(entry.path) === '.so') {
        found.set(entry.path, { path: entry.path, reason });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
