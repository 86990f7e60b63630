import { createHash } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileEntry, FileTree, Resolution } from '@prof-gen/core';

function kindOf(path: string): FileEntry['kind'] {
  const head = Buffer.alloc(64);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, 64, 0);
  closeSync(file);
  if (head.readUInt32BE(0) === 0x7f454c46) return 'elf';
  if (head.readUInt16BE(0) === 0x2321) return 'script';
  return head.subarray(0, length).includes(0) ? undefined : 'text';
}

/** What tells a file's type: of lstat or of reading the directory. */
type FileType = Pick<Dirent, 'isSymbolicLink' | 'isDirectory' | 'isFile'>;

function typeOf(type: FileType): FileEntry['type'] {
  if (type.isSymbolicLink()) return 'symlink';
  if (type.isDirectory()) return 'directory';
  return type.isFile() ? 'file' : 'fifo';
}

/** An entry that looks at the disk for what it is asked for: most are only passed by. */
function diskEntry(root: string, path: string, fileType: FileType): FileEntry {
  const onDisk = join(root, path);
  const type = typeOf(fileType);
  const isFile = type === 'file';
  const stat = once(() => lstatSync(onDisk));
  const kind = once(() => (isFile ? kindOf(onDisk) : undefined));
  const target = once(() => (type === 'symlink' ? readlinkSync(onDisk) : undefined));
  const digest = once(() =>
    isFile ? `sha256:${createHash('sha256').update(readFileSync(onDisk)).digest('hex')}` : undefined,
  );
  const entry = {
    path,
    type,
    get mode() {
      return stat().mode & 0o7777;
    },
    get uid() {
      return stat().uid;
    },
    get gid() {
      return stat().gid;
    },
    get size() {
      return isFile ? stat().size : 0;
    },
    get kind() {
      return kind();
    },
    get target() {
      return target();
    },
    get digest() {
      return digest();
    },
  };
  return entry as FileEntry;
}

function once<T>(make: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => (known ??= { value: make() }).value;
}

/** A directory of this machine as a tree, read as needed; links are resolved inside it alone. */
export function diskTree(root: string): FileTree {
  const known = new Map<string, FileEntry | undefined>();

  function lookup(path: string): FileEntry | undefined {
    if (known.has(path)) return known.get(path);
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    const entry = stat && diskEntry(root, path, stat);
    known.set(path, entry);
    return entry;
  }
  function resolve(path: string): Resolution {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let at = lookup('/') as FileEntry;
    let links = 0;
    while (rest.length > 0) {
      const [part = '', ...after] = rest;
      rest = after;
      if (at.type !== 'directory') return { ok: false, reason: 'not-a-directory', at: at.path };
      const parent = at.path === '/' ? '' : at.path;
      const next = part === '..' ? parent.slice(0, parent.lastIndexOf('/')) || '/' : `${parent}/${part}`;
      const entry = lookup(next);
      if (entry === undefined) return { ok: false, reason: 'not-found', at: next };
      if (entry.type !== 'symlink') at = entry;
      else {
        links += 1;
        if (links > 40) return { ok: false, reason: 'link-cycle', at: next };
        const target = entry.target ?? '';
        rest = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...rest];
        if (target.startsWith('/')) at = lookup('/') as FileEntry;
      }
    }
    return { ok: true, entry: at };
  }
  function list(directory: string): FileEntry[] {
    const found = resolve(directory);
    if (!found.ok || found.entry.type !== 'directory') return [];
    const prefix = found.entry.path === '/' ? '' : found.entry.path;
    return readdirSync(join(root, found.entry.path), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((one) => {
        const path = `${prefix}/${one.name}`;
        const entry = known.get(path) ?? diskEntry(root, path, one);
        known.set(path, entry);
        return entry;
      });
  }
  function* below(at: string): Iterable<FileEntry> {
    for (const entry of list(at)) {
      yield entry;
      if (entry.type === 'directory' && !/^\/(proc|sys|dev)$/.test(entry.path)) yield* below(entry.path);
    }
  }
  const entries = once(() => [...below('/')]);
  return {
    lookup,
    resolve,
    list,
    entries,
    read: (entry) => Promise.resolve(readFileSync(join(root, entry.path))),
  };
}
