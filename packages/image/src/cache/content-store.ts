import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, ProfGenError } from '@prof-gen/core';
import { temporaryBeside, writeAtomically } from './atomic-file.js';

/** Files up to this size are put together in memory; larger ones go to the disk as they come. */
const inMemory = 4 * 1024 * 1024;

/**
 * Contents of files by SHA-256, in `files/AB/ABCD…` of the cache. A file there is complete and never
 * changes. It is not executable: nothing from an image is run.
 */
export interface ContentStore {
  /** Keeps `content`, which has exactly `size` bytes, and gives its digest. */
  add(content: AsyncIterable<Uint8Array>, size: number): Promise<Digest>;
  /** Whether a content of that size is there; its bytes are verified when it is read. */
  has(digest: Digest, size: number): boolean;
  /** @throws ProfGenError `image/content-missing` when it is gone or not what its name says */
  read(digest: Digest): Promise<Uint8Array>;
}

export function contentStore(cache: string): ContentStore {
  const pathOf = (digest: Digest): string => {
    const hex = digest.slice('sha256:'.length);
    return join(cache, 'files', hex.slice(0, 2), hex);
  };
  const has = (digest: Digest, size: number): boolean =>
    statSync(pathOf(digest), { throwIfNoEntry: false })?.size === size;

  async function addSmall(content: AsyncIterable<Uint8Array>): Promise<Digest> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const bytes = Buffer.concat(parts);
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (!has(digest, bytes.length)) {
      await writeAtomically(pathOf(digest), async (file) => {
        await file.writeFile(bytes);
      });
    }
    return digest;
  }

  async function addLarge(content: AsyncIterable<Uint8Array>): Promise<Digest> {
    const temporary = temporaryBeside(join(cache, 'files', 'large'));
    await mkdir(dirname(temporary), { recursive: true });
    const hash = createHash('sha256');
    try {
      const file = await open(temporary, 'wx', 0o644);
      try {
        for await (const part of content) {
          hash.update(part);
          await file.write(part);
        }
      } finally {
        await file.close();
      }
      const digest: Digest = `sha256:${hash.digest('hex')}`;
      await mkdir(dirname(pathOf(digest)), { recursive: true });
      await rename(temporary, pathOf(digest));
      return digest;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  return {
    add: (content, size) => (size <= inMemory ? addSmall(content) : addLarge(content)),
    has,
    async read(digest) {
      const path = pathOf(digest);
      const bytes = await readFile(path).catch(() => undefined);
      const found = bytes === undefined ? 'gone' : createHash('sha256').update(bytes).digest('hex');
      if (bytes !== undefined && digest === `sha256:${found}`) return bytes;
      // Out of the way, so that the next opening of the image makes it again.
      await rm(path, { force: true });
      throw new ProfGenError('image/content-missing', `the cache lost a file of the image: ${digest}`, {
        hint: 'open the image again: what is missing is then read anew',
        retryable: true,
      });
    },
  };
}
