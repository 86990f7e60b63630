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
  type Stats,
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
class DiskEntry {
  readonly type: FileEntry['type'];
  #stat: Stats | undefined;
  #kind: FileEntry['kind'] | null = null;
  #digest: FileEntry['digest'];

  constructor(
    private readonly root: string,
    readonly path: string,
    fileType: FileType,
  ) {
    this.type = typeOf(fileType);
  }

  get #onDisk(): string {
    return join(this.root, this.path);
  }

  get #status(): Stats {
    return (this.#stat ??= lstatSync(this.#onDisk));
  }

  get mode(): number {
    return this.#status.mode & 0o7777;
  }

  get uid(): number {
    return this.#status.uid;
  }

  get gid(): number {
    return this.#status.gid;
  }

  get size(): number {
    return this.type === 'file' ? this.#status.size : 0;
  }

  get kind(): FileEntry['kind'] {
    if (this.type !== 'file') return undefined;
    if (this.#kind === null) this.#kind = kindOf(this.#onDisk);
    return this.#kind;
  }

  get target(): string | undefined {
    return this.type === 'symlink' ? readlinkSync(this.#onDisk) : undefined;
  }

  get digest(): FileEntry['digest'] {
    if (this.type !== 'file') return undefined;
    this.#digest ??= `sha256:${createHash('sha256').update(readFileSync(this.#onDisk)).digest('hex')}`;
    return this.#digest;
  }
}

/** A directory of this machine as a tree, read as needed; links are resolved inside it alone. */
export function diskTree(root: string): FileTree {
  const known = new Map<string, FileEntry | undefined>();
  // Fields that a file does not have are there as undefined.
  const entryAt = (path: string, type: FileType): FileEntry => new DiskEntry(root, path, type) as FileEntry;

  function lookup(path: string): FileEntry | undefined {
    if (known.has(path)) return known.get(path);
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    const entry = stat && entryAt(path, stat);
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
        const entry = known.get(path) ?? entryAt(path, one);
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
  let all: readonly FileEntry[] | undefined;
  return {
    lookup,
    resolve,
    list,
    entries: () => (all ??= [...below('/')]),
    read: (entry) => Promise.resolve(readFileSync(join(root, entry.path))),
  };
}
