import { createHash } from 'node:crypto';
import { type FileEntry, type FileTree, ProfGenError, type Resolution } from '@prof-gen/core';

/** What stands at one path of a tree made for a test. */
export interface MemoryFile {
  /** Text or bytes of a regular file. */
  readonly content?: string | Uint8Array;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** Permission bits; 0o755 unless said. */
  readonly mode?: number;
  readonly directory?: true;
}

const maximumLinks = 40;

function kindOf(bytes: Uint8Array): FileEntry['kind'] {
  if (bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46) return 'elf';
  if (bytes[0] === 0x23 && bytes[1] === 0x21) return 'script';
  return bytes.includes(0) ? undefined : 'text';
}

/**
 * A `FileTree` from literals: `memoryTree({ '/bin/sh': { link: 'dash' }, '/bin/dash': { content: elf } })`.
 * A bare string or bytes stand for an executable file. Directories come to be by themselves.
 */
export function memoryTree(files: Readonly<Record<string, MemoryFile | string | Uint8Array>>): FileTree {
  const entries = new Map<string, FileEntry>();
  const contents = new Map<string, Uint8Array>();
  const common = { uid: 0, gid: 0 };
  const addDirectory = (path: string): void => {
    if (entries.has(path)) return;
    entries.set(path, { path, type: 'directory', mode: 0o755, size: 0, ...common });
    if (path !== '/') addDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
  };
  addDirectory('/');
  for (const [path, given] of Object.entries(files)) {
    const file: MemoryFile =
      typeof given === 'string' || given instanceof Uint8Array ? { content: given } : given;
    addDirectory(file.directory ? path : path.slice(0, path.lastIndexOf('/')) || '/');
    if (file.directory) continue;
    if (file.link !== undefined) {
      entries.set(path, { path, type: 'symlink', mode: 0o777, size: 0, target: file.link, ...common });
      continue;
    }
    const content = file.content ?? '';
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const kind = kindOf(bytes);
    contents.set(path, bytes);
    entries.set(path, {
      path,
      type: 'file',
      mode: file.mode ?? 0o755,
      size: bytes.length,
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      ...(kind === undefined ? {} : { kind }),
      ...common,
    });
  }

  function resolve(path: string): Resolution {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let at: FileEntry = entries.get('/') as FileEntry;
    let links = 0;
    while (rest.length > 0) {
      const [part, ...after] = rest as [string, ...string[]];
      rest = after;
      if (at.type !== 'directory') return { ok: false, reason: 'not-a-directory', at: at.path };
      const parent = at.path === '/' ? '' : at.path;
      const next = part === '..' ? parent.slice(0, parent.lastIndexOf('/')) || '/' : `${parent}/${part}`;
      const entry = entries.get(next);
      if (entry === undefined) return { ok: false, reason: 'not-found', at: next };
      if (entry.type !== 'symlink') {
        at = entry;
        continue;
      }
      links += 1;
      if (links > maximumLinks) return { ok: false, reason: 'link-cycle', at: next };
      const target = entry.target ?? '';
      rest = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...rest];
      if (target.startsWith('/')) at = entries.get('/') as FileEntry;
    }
    return { ok: true, entry: at };
  }

  const sorted = [...entries.keys()].sort().map((path) => entries.get(path) as FileEntry);
  return {
    lookup: (path) => entries.get(path),
    resolve,
    list(directory) {
      const found = resolve(directory);
      if (!found.ok || found.entry.type !== 'directory') return [];
      const prefix = found.entry.path === '/' ? '/' : `${found.entry.path}/`;
      return sorted.filter(
        ({ path }) => path !== '/' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'),
      );
    },
    entries: () => sorted,
    read(entry) {
      const bytes = contents.get(entry.path);
      return bytes === undefined
        ? Promise.reject(new ProfGenError('image/content-missing', `${entry.path} has no content`))
        : Promise.resolve(bytes);
    },
  };
}
