import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';
import { temporaryBeside } from '../cache/atomic-file.js';
import { cacheError } from '../cache/cache-error.js';
import { entryComponents } from '../layer/layer-builder.js';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import { FileInput } from '../stream/byte-input.js';
import { compressionOf, decompress } from '../stream/decompress.js';
import { readTar } from '../tar/read-tar.js';

/** The files of an image archive or of an OCI layout, by name. */
export interface NamedBlobs {
  has(name: string): Promise<boolean>;
  /** @throws ProfGenError `archive/missing-member` */
  size(name: string): Promise<number>;
  /** A small file, whole. @throws ProfGenError `archive/missing-member`, `archive/too-large` */
  bytes(name: string, limit: 'manifestBytes' | 'configBytes'): Promise<Uint8Array>;
  stream(name: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

function missing(name: string, where: string): ProfGenError {
  return new ProfGenError('archive/missing-member', `${printable(where)} has no ${printable(name)}`, {
    hint: 'it is damaged, cut off, or not an image archive: save the image again',
  });
}

const readSize = 256 * 1024;

async function* fileRange(
  file: FileHandle,
  from: number,
  length: number,
  where: string,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  while (at < length) {
    const wanted = Math.min(readSize, length - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, from + at);
    if (bytesRead === 0) throw new ProfGenError('archive/truncated', `${printable(where)} ends early`);
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** A directory in the OCI layout. Names are ours (`index.json`, `blobs/sha256/…`); links are not followed. */
export function directoryBlobs(directory: string, limits: ImageLimits): NamedBlobs {
  const openFile = async (name: string): Promise<{ file: FileHandle; size: number }> => {
    let file: FileHandle;
    try {
      file = await open(
        join(directory, name),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch (thrown) {
      throw new ProfGenError(...missingArgs(name, directory), { causes: [thrown] });
    }
    const status = await file.stat();
    if (status.isFile()) return { file, size: status.size };
    await file.close();
    throw missing(name, directory);
  };
  async function* stream(name: string): AsyncGenerator<Uint8Array> {
    const { file, size } = await openFile(name);
    try {
      yield* fileRange(file, 0, size, name);
    } finally {
      await file.close();
    }
  }
  const size = async (name: string): Promise<number> => {
    const opened = await openFile(name);
    await opened.file.close();
    return opened.size;
  };
  return {
    has: async (name) => (await stat(join(directory, name)).catch(() => undefined))?.isFile() === true,
    size,
    async bytes(name, limit) {
      if ((await size(name)) > limits[limit])
        throw overLimit(limit, limits[limit], `bytes of ${printable(name)}`);
      return collected(stream(name));
    },
    stream,
    close: async () => {},
  };
}

function missingArgs(name: string, where: string): [code: 'archive/missing-member', message: string] {
  return ['archive/missing-member', missing(name, where).message];
}

interface Member {
  readonly offset: number;
  readonly size: number;
}

/**
 * A tar archive, its members found by one pass over the headers and then read in place.
 * A compressed archive is first uncompressed into a nameless file of the cache.
 * @throws ProfGenError `image/not-found`, `archive/*`
 */
export async function archiveBlobs(path: string, cache: string, limits: ImageLimits): Promise<NamedBlobs> {
  let file = await openArchive(path);
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, 4, 0);
    if (compressionOf(head.subarray(0, bytesRead)) !== 'none') {
      const compressed = file;
      try {
        file = await uncompressed(compressed, cache, limits);
      } finally {
        await compressed.close();
      }
    }
    const members = await membersOf(file, limits);
    const find = (name: string): Member => {
      const member = members.get(name);
      if (member === undefined) throw missing(name, path);
      return member;
    };
    const stream = (name: string): AsyncIterable<Uint8Array> => {
      const { offset, size } = find(name);
      return fileRange(file, offset, size, path);
    };
    return {
      has: (name) => Promise.resolve(members.has(name)),
      size: (name) => Promise.resolve(name).then((known) => find(known).size),
      async bytes(name, limit) {
        if (find(name).size > limits[limit])
          throw overLimit(limit, limits[limit], `bytes of ${printable(name)}`);
        return collected(stream(name));
      },
      stream,
      close: () => file.close(),
    };
  } catch (thrown) {
    await file.close().catch(() => {});
    throw thrown;
  }
}

async function openArchive(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    // Not blocking: a fifo in the place of the file would hang.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw new ProfGenError('image/not-found', `cannot open the archive ${printable(path)}`, {
      hint: 'check the name and the permissions',
      causes: [thrown],
    });
  }
  const status = await file.stat();
  if (status.isFile()) return file;
  await file.close();
  throw new ProfGenError('image/not-found', `${printable(path)} is not a file`, {
    hint: 'for a directory write oci:DIR or dir:DIR',
  });
}

async function uncompressed(file: FileHandle, cache: string, limits: ImageLimits): Promise<FileHandle> {
  const temporary = temporaryBeside(join(cache, 'tmp', 'archive'));
  try {
    await mkdir(dirname(temporary), { recursive: true });
    const result = await open(temporary, 'wx+', 0o600);
    // Nothing is left behind however this ends.
    await rm(temporary);
    try {
      const { size } = await file.stat();
      let written = 0;
      for await (const chunk of decompress(fileRange(file, 0, size, 'the archive'), limits)) {
        written += chunk.length;
        if (written > limits.bytes)
          throw overLimit('bytes', limits.bytes, 'bytes of an uncompressed archive');
        await result.write(chunk);
      }
      return result;
    } catch (thrown) {
      await result.close();
      throw thrown;
    }
  } catch (thrown) {
    throw cacheError(thrown, cache);
  }
}

async function membersOf(file: FileHandle, limits: ImageLimits): Promise<ReadonlyMap<string, Member>> {
  const { size } = await file.stat();
  const members = new Map<string, Member>();
  const links: { name: string; target: string }[] = [];
  let entries = 0;
  for await (const member of readTar(new FileInput(file, size))) {
    entries += 1;
    if (entries > limits.entries) throw overLimit('entries', limits.entries, 'members of an archive');
    const components = entryComponents(member.name, limits);
    const name = components.join('/');
    if (member.type === 'file' && !member.sparse) {
      members.set(name, { offset: member.dataOffset, size: member.stored });
    } else if (member.type === 'hard-link') {
      links.push({ name, target: member.linkName });
    } else if (member.type === 'symlink') {
      // Relative to the link's directory; an absolute target never occurs and finds nothing.
      links.push({ name, target: `${components.slice(0, -1).join('/')}/${member.linkName}` });
    }
  }
  // Engines before 25 store a layer that occurs twice as a link to the first, which may come later.
  for (let pass = 0, open = links; open.length > 0 && pass < 8; pass += 1) {
    open = open.filter(({ name, target }) => {
      const found = members.get(safeTarget(target, limits));
      if (found !== undefined) members.set(name, found);
      return found === undefined;
    });
  }
  return members;
}

function safeTarget(target: string, limits: ImageLimits): string {
  try {
    return entryComponents(target, limits).join('/');
  } catch {
    return '';
  }
}
