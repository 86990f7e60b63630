import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath, statfs } from 'node:fs/promises';
import {
  type Digest,
  type FileEntry,
  type FileType,
  imageConfigSchema,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import { fileNode } from '../layer/index-layer.js';
import { overLimit } from '../limits/image-limits.js';
import { concurrently } from '../stream/concurrently.js';
import { decodeFileName, encodeFileName } from '../tar/file-name.js';
import { imageTree } from '../tree/image-tree.js';
import { emptyDirectory, type LayerNode, type TreeNode } from '../tree/tree-node.js';
import type { ImageProvider, ProviderContext } from './image-provider.js';

/**
 * A root file system in a directory. Files are read where they are: every step is taken from the open
 * directory above it (through /proc/self/fd, Node has no openat) and follows no link, so that no path
 * leads out of the directory, even while somebody changes it.
 * There is no manifest: the digest is that of the sorted tree, with the content of the files that are
 * kept and the size of the others. The config is empty, and the platform the one asked for.
 */
export const dirProvider: ImageProvider<'dir'> = {
  scheme: 'dir',
  async open({ directory }, context) {
    const root = await realpath(directory).catch((thrown: unknown) => {
      throw new ProfGenError('image/not-found', `there is no directory ${printable(directory)}`, {
        causes: [thrown],
      });
    });
    const handle = await openStep(Buffer.from(root), true).catch((thrown: unknown) => {
      throw new ProfGenError('image/not-found', `${printable(directory)} cannot be read as a directory`, {
        hint: 'for an archive write docker-archive:FILE or oci-archive:FILE',
        causes: [thrown],
      });
    });
    try {
      const tree = await readDirectory(handle, context);
      const stream = (path: string): AsyncGenerator<Uint8Array> => streamBeneath(handle, path);
      return {
        resolved: `dir:${root}`,
        digest: treeDigest(tree),
        platform: context.platform,
        config: imageConfigSchema.parse({}),
        content: {
          type: 'tree',
          root: tree,
          readContent: (entry) => readVerified(stream(entry.path), entry),
          stream,
        },
        close: () => handle.close(),
      };
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  },
};

function openStep(path: Buffer, directory: boolean): Promise<FileHandle> {
  // Not blocking: a fifo or a device that took the place of a file would hang.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return open(path, directory ? flags | constants.O_DIRECTORY : flags);
}

function under(directory: FileHandle, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), name]);
}

/** Files read at once: their many small waits overlap. */
const filesAtOnce = 8;

/** File systems of the kernel's own, found in a running root: they have no files of an image (linux/magic.h). */
const kernelFileSystems = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0x1cd1, 0xcafe4a11, 0x73636673,
  0x958458f6, 0x19800202, 0x6e736673, 0x42494e4d, 0x6165676c, 0xde5e81e4, 0x65735543,
]);

function typeOf(status: Stats): FileType | undefined {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'symlink';
  if (status.isCharacterDevice()) return 'character-device';
  if (status.isBlockDevice()) return 'block-device';
  return status.isFIFO() ? 'fifo' : undefined;
}

async function readDirectory(rootHandle: FileHandle, context: ProviderContext): Promise<TreeNode> {
  const { limits } = context;
  let entries = 0;
  let bytes = 0;

  const unreadable = (path: string, thrown: unknown): undefined => {
    const error = new ProfGenError(
      'image/unreadable',
      `cannot read ${printable(path)}: what it holds is not analysed`,
      {
        hint: 'make it readable, or run as root',
        causes: [thrown],
      },
    );
    context.warn(error);
  };

  async function fileAt(path: string, at: Buffer, node: LayerNode): Promise<LayerNode> {
    const file = await openStep(at, false);
    try {
      const status = await file.stat();
      if (!status.isFile()) throw new Error('it changed while it was read');
      const size = status.size;
      bytes += size;
      if (bytes > limits.bytes) throw overLimit('bytes', limits.bytes, 'bytes of the files');
      const content = (): AsyncGenerator<Uint8Array> => contentOf(file, size);
      const read = await fileNode({ ...node, name: path, size, content }, { add: hashOnly }, limits);
      context.received(size);
      return read;
    } finally {
      await file.close();
    }
  }

  /** @returns undefined for a socket, which cannot be in an image */
  async function nodeAt(
    at: Buffer,
    path: string,
    depth: number,
    dev: number,
  ): Promise<LayerNode | undefined> {
    const status = await lstat(at);
    const type = typeOf(status);
    if (type === undefined) return undefined;
    const { uid, gid } = status;
    const mode = status.mode & 0o7777;
    const node: LayerNode = { type, mode, uid, gid, size: 0 };
    if (type === 'symlink')
      return { ...node, target: decodeFileName(await readlink(at, { encoding: 'buffer' })) };
    if (type === 'file') {
      return fileAt(path, at, node).catch((thrown: unknown) => {
        if (thrown instanceof ProfGenError || context.signal?.aborted === true) throw thrown;
        unreadable(path, thrown);
        return { ...node, size: status.size };
      });
    }
    if (type !== 'directory') return node;
    const empty = { ...emptyDirectory(false), mode, uid, gid };
    const handle = await openStep(at, true).catch((thrown: unknown) => unreadable(path, thrown));
    if (handle === undefined) return empty;
    try {
      const foreign =
        status.dev !== dev && kernelFileSystems.has((await statfs(under(handle, Buffer.from('.')))).type);
      return foreign ? empty : await walk(handle, path, depth + 1, status);
    } finally {
      await handle.close();
    }
  }

  async function walk(handle: FileHandle, path: string, depth: number, status: Stats): Promise<LayerNode> {
    const { mode, uid, gid, dev } = status;
    const directory = { ...emptyDirectory(false), mode: mode & 0o7777, uid, gid };
    if (depth > limits.depth) throw overLimit('depth', limits.depth, 'components of a path');
    const visit = async (raw: Buffer): Promise<[string, LayerNode] | undefined> => {
      const name = decodeFileName(raw);
      try {
        const node = await nodeAt(under(handle, raw), `${path}/${name}`, depth, dev);
        return node === undefined ? undefined : [name, node];
      } catch (thrown) {
        if (thrown instanceof ProfGenError || context.signal?.aborted === true) throw thrown;
        unreadable(`${path}/${name}`, thrown);
        return undefined;
      }
    };
    const names = await readdir(under(handle, Buffer.from('.')), { encoding: 'buffer', withFileTypes: true });
    entries += names.length;
    if (entries > limits.entries) throw overLimit('entries', limits.entries, 'names in the directory');
    context.signal?.throwIfAborted();
    // Directories one by one: each holds a descriptor open for as long as it is walked.
    const inner = names.filter((each) => each.isDirectory());
    const others = names.filter((each) => !each.isDirectory());
    const found = [
      ...(await concurrently(inner, 1, ({ name }) => visit(name))),
      ...(await concurrently(others, filesAtOnce, ({ name }) => visit(name))),
    ];
    for (const pair of found) if (pair !== undefined) directory.children.set(...pair);
    return directory;
  }

  return walk(rootHandle, '', 0, await rootHandle.stat());
}

const readSize = 256 * 1024;

async function* contentOf(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  while (at < size) {
    const wanted = Math.min(readSize, size - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function hashOnly(content: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function* streamBeneath(root: FileHandle, path: string): AsyncGenerator<Uint8Array> {
  const components = path.split('/').filter((part) => part !== '');
  const opened: FileHandle[] = [];
  try {
    for (const [i, component] of components.entries()) {
      const above = opened.at(-1) ?? root;
      opened.push(await openStep(under(above, encodeFileName(component)), i < components.length - 1));
    }
    const file = opened.at(-1);
    if (file === undefined) return;
    yield* contentOf(file, (await file.stat()).size);
  } catch (thrown) {
    if (thrown instanceof ProfGenError) throw thrown;
    throw changed(path, thrown);
  } finally {
    for (const handle of opened.reverse()) await handle.close();
  }
}

function changed(path: string, cause?: unknown): ProfGenError {
  return new ProfGenError(
    'image/content-missing',
    `${printable(path)} changed after the directory was opened`,
    {
      hint: 'open the directory again when nobody writes to it',
      retryable: true,
      ...(cause === undefined ? {} : { causes: [cause] }),
    },
  );
}

async function readVerified(content: AsyncIterable<Uint8Array>, entry: FileEntry): Promise<Uint8Array> {
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > entry.size) throw changed(entry.path);
    hash.update(chunk);
    parts.push(chunk);
  }
  if (`sha256:${hash.digest('hex')}` !== entry.digest) throw changed(entry.path);
  return Buffer.concat(parts);
}

function treeDigest(root: TreeNode): Digest {
  const hash = createHash('sha256');
  const tree = imageTree(root, () => Promise.reject(new Error('not read')));
  for (const { path, type, mode, uid, gid, size, target, digest } of tree.entries()) {
    hash.update(`${JSON.stringify([path, type, mode, uid, gid, size, target ?? '', digest ?? ''])}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}
