import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
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

/** A directory of this machine as a tree, read as needed; links are resolved inside it alone. */
export function diskTree(root: string): FileTree {
  const known = new Map<string, FileEntry | undefined>();

  function lookup(path: string): FileEntry | undefined {
    if (known.has(path)) return known.get(path);
    const entry = read(path);
    known.set(path, entry);
    return entry;
  }
  function read(path: string): FileEntry | undefined {
    const onDisk = join(root, path);
    const stat = lstatSync(onDisk, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const common = { path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
    if (stat.isSymbolicLink()) return { ...common, type: 'symlink', size: 0, target: readlinkSync(onDisk) };
    if (stat.isDirectory()) return { ...common, type: 'directory', size: 0 };
    if (!stat.isFile()) return { ...common, type: 'fifo', size: 0 };
    const kind = kindOf(onDisk);
    let digest: FileEntry['digest'];
    return {
      ...common,
      type: 'file',
      size: stat.size,
      ...(kind === undefined ? {} : { kind }),
      get digest(): NonNullable<FileEntry['digest']> {
        digest ??= `sha256:${createHash('sha256').update(readFileSync(onDisk)).digest('hex')}`;
        return digest;
      },
    };
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
    return readdirSync(join(root, found.entry.path))
      .sort()
      .map((name) => lookup(`${prefix}/${name}`))
      .filter((entry) => entry !== undefined);
  }
  function* entries(at = '/'): Iterable<FileEntry> {
    for (const entry of list(at)) {
      yield entry;
      if (entry.type === 'directory' && !/^\/(proc|sys|dev)$/.test(entry.path)) yield* entries(entry.path);
    }
  }
  return {
    lookup,
    resolve,
    list,
    entries,
    read: (entry) => Promise.resolve(readFileSync(join(root, entry.path))),
  };
}
