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

/**
 * Converters that libc may open: all that the image has, for programs that call `iconv_open` with whatever
 * names they like, or whose locale has a character set of its own.
 */
export function characterSetObjects(
  tree: FileTree,
  imports: ReadonlySet<string>,
  env: ReadonlyMap<string, string>,
): readonly LateFile[] {
  const asks = imports.has('iconv_open');
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
