import { type FileEntry, type FileTree, ProfGenError, printable, type Resolution } from '@prof-gen/core';
import type { TreeNode } from './tree-node.js';

/** As many links as the kernel follows: MAXSYMLINKS, path_resolution(7). */
const maxLinks = 40;

/** Reads the content of an entry with a digest, and verifies it. */
export type ContentReader = (entry: FileEntry) => Promise<Uint8Array>;

function entryOf(path: string, node: TreeNode): FileEntry {
  const { type, mode, uid, gid, size, target, digest, kind } = node;
  return {
    path,
    type,
    mode,
    uid,
    gid,
    size,
    ...(target === undefined ? {} : { target }),
    ...(digest === undefined ? {} : { digest }),
    ...(kind === undefined ? {} : { kind }),
  };
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A merged tree as the rest of Prof-gen sees it. Nothing here knows where the bytes are. */
export function imageTree(root: TreeNode, readContent: ContentReader): FileTree {
  let sorted: readonly FileEntry[] | undefined;

  /** Walks as the kernel does; the stack makes `..` the parent of where links led, and stops at the root. */
  function walk(path: string): { node: TreeNode; path: string } | (Resolution & { ok: false }) {
    const stack: { name: string; node: TreeNode }[] = [];
    const todo = path.split('/').reverse();
    let links = 0;
    const here = (): string => `/${stack.map(({ name }) => name).join('/')}`;
    while (todo.length > 0) {
      const name = todo.pop() as string;
      const current = stack.at(-1)?.node ?? root;
      // Anything after a name, even an empty component or a dot, asks for a directory.
      if (current.children === undefined) return { ok: false, reason: 'not-a-directory', at: here() };
      if (name === '' || name === '.') continue;
      if (name === '..') {
        stack.pop();
        continue;
      }
      const child = current.children.get(name);
      if (child === undefined)
        return { ok: false, reason: 'not-found', at: here() === '/' ? `/${name}` : `${here()}/${name}` };
      if (child.type === 'symlink') {
        links += 1;
        const target = child.target ?? '';
        const at = here() === '/' ? `/${name}` : `${here()}/${name}`;
        if (links > maxLinks) return { ok: false, reason: 'link-cycle', at };
        if (target === '') return { ok: false, reason: 'not-found', at };
        if (target.startsWith('/')) stack.length = 0;
        todo.push(...target.split('/').reverse());
        continue;
      }
      stack.push({ name, node: child });
    }
    return { node: stack.at(-1)?.node ?? root, path: here() };
  }

  function* below(path: string, node: TreeNode): Generator<FileEntry> {
    yield entryOf(path === '' ? '/' : path, node);
    for (const [name, child] of node.children ?? []) yield* below(`${path}/${name}`, child);
  }

  return {
    lookup(path) {
      let node = root;
      const parts = path.split('/').filter((part) => part !== '' && part !== '.');
      if (parts.includes('..')) return undefined;
      for (const part of parts) {
        const child = node.children?.get(part);
        if (child === undefined) return undefined;
        node = child;
      }
      return entryOf(`/${parts.join('/')}`, node);
    },
    resolve(path) {
      const end = walk(path);
      return 'node' in end ? { ok: true, entry: entryOf(end.path, end.node) } : end;
    },
    list(directory) {
      const end = walk(directory);
      if (!('node' in end) || end.node.children === undefined) return [];
      const prefix = end.path === '/' ? '/' : `${end.path}/`;
      return [...end.node.children]
        .sort(([a], [b]) => inOrder(a, b))
        .map(([name, child]) => entryOf(prefix + name, child));
    },
    entries() {
      sorted ??= [...below('', root)].sort((a, b) => inOrder(a.path, b.path));
      return sorted;
    },
    async read(entry) {
      if (entry.digest === undefined) {
        throw new ProfGenError(
          'image/content-not-kept',
          `the content of ${printable(entry.path)} was not kept`,
          {
            hint: 'only ELF files, scripts and small configuration files can be read, up to the limits on their size',
          },
        );
      }
      return readContent(entry);
    },
  };
}
