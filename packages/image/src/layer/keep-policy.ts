import type { ImageLimits } from '../limits/image-limits.js';

/** Bump when what is kept changes: indexes made by the older policy are then made again. */
export const keepPolicyVersion = 1;

/** Files that a shell script sources or a loader reads, by name. `.envsh` is nginx's. */
const configuration =
  /\.(?:sh|bash|ksh|dash|envsh|env|conf|cnf|cfg|ini|inc|properties|toml|ya?ml|json|pth|service|path)$/;

/** Where the names say nothing: /etc, directories of commands, and what images put at the root or beside it. */
const places = [
  /^\/etc\//,
  /^\/usr\/local\/etc\//,
  /^\/(?:.*\/)?s?bin\/[^/]+$/,
  /^\/[^/]+$/,
  /^\/docker-entrypoint[^/]*\//,
  /\/gconv\/gconv-modules[^/]*(?:\/[^/]+)?$/,
  /^\/usr\/lib\/os-release$/,
  // What is installed: package lists of dpkg, apk and (in SQLite, small images only) rpm.
  /^\/var\/lib\/dpkg\/status(?:\.d\/[^/]+)?$/,
  /^\/lib\/apk\/db\/installed$/,
];

export type FileKind = 'elf' | 'script' | 'text';

/** What the first bytes say; at least 4 are needed, some hundred make `text` surer. */
export function kindOf(head: Uint8Array): FileKind | undefined {
  if (head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46) return 'elf';
  if (head[0] === 0x23 && head[1] === 0x21) return 'script';
  return head.length > 0 && !head.includes(0) ? 'text' : undefined;
}

/**
 * Whether the content of a regular file is kept: every ELF file, every `#!` script, and what scripts
 * and loaders read while small: anything under /etc (ld.so.cache is binary), files with an execute bit,
 * files in directories of commands, and configuration by name.
 */
export function isKept(
  file: { readonly path: string; readonly mode: number; readonly size: number },
  kind: FileKind | undefined,
  limits: Pick<ImageLimits, 'keptElfBytes' | 'keptScriptBytes' | 'keptTextBytes'>,
): boolean {
  if (kind === 'elf') return file.size <= limits.keptElfBytes;
  if (kind === 'script') return file.size <= limits.keptScriptBytes;
  if (file.size > limits.keptTextBytes) return false;
  if ((file.mode & 0o111) !== 0) return true;
  return places.some((place) => place.test(file.path)) || (kind === 'text' && configuration.test(file.path));
}
