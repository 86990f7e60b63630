import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, ProfGenError } from '@prof-gen/core';
import { writeAtomically } from './atomic-file.js';
import { cacheError } from './cache-error.js';

/** A partial download that nobody wrote to for this long is free to be taken up; longer than any silence. */
const abandoned = 5 * 60_000;

/** A download under way: what is there already is in `hash`, the file's end is where to go on. */
export interface PartialBlob {
  readonly size: number;
  readonly hash: ReturnType<typeof createHash>;
  append(chunk: Uint8Array): Promise<void>;
  /** Begins again from nothing. */
  reset(): Promise<PartialBlob>;
}

/**
 * Blobs as registries store them, by digest, in `blobs/sha256` of the cache. A file there is complete,
 * verified and never changes; what is under way stands in `partial` and outlives its process.
 */
export interface BlobStore {
  /** Path of a complete blob of that size. */
  find(digest: Digest, size?: number): Promise<string | undefined>;
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** `fill` appends until the blob is complete and verified; when it fails, what it got is kept for the next time. */
  fill(digest: Digest, fill: (partial: PartialBlob) => Promise<PartialBlob>): Promise<string>;
}

export function blobStore(cache: string): BlobStore {
  const directory = join(cache, 'blobs', 'sha256');
  const partials = join(cache, 'partial');
  const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);
  const pathOf = (digest: Digest): string => join(directory, hexOf(digest));

  /**
   * A partial file that is ours alone: an abandoned one by renaming it, which only one can do, or a new one.
   * A name tells its owner's process, so a file of a process that has ended is free at once.
   */
  async function claim(digest: Digest): Promise<string> {
    await mkdir(partials, { recursive: true });
    const mine = join(partials, `${hexOf(digest)}.${process.pid}.${crypto.randomUUID()}`);
    for (const name of await readdir(partials)) {
      const [hex, pid] = name.split('.');
      if (hex !== hexOf(digest)) continue;
      const path = join(partials, name);
      const status = await stat(path).catch(() => undefined);
      const old = status !== undefined && Date.now() - status.mtimeMs > abandoned;
      if (!old && isAlive(Number(pid))) continue;
      const taken = await rename(path, mine).then(
        () => true,
        () => false,
      );
      if (taken) return mine;
    }
    return mine;
  }

  return {
    async find(digest, size) {
      const status = await stat(pathOf(digest)).catch(() => undefined);
      if (status?.isFile() !== true || (size !== undefined && status.size !== size)) return undefined;
      return pathOf(digest);
    },
    async put(digest, bytes) {
      try {
        await writeAtomically(pathOf(digest), async (file) => {
          await file.writeFile(bytes);
        });
      } catch (thrown) {
        throw cacheError(thrown, cache);
      }
    },
    async fill(digest, fill) {
      try {
        const path = await claim(digest);
        const file = await open(path, 'a+', 0o644);
        try {
          const { size } = await fill(await partialBlob(file));
          // What was hashed came from the network. Were the file taken from us, by a process in another
          // container that cannot see ours, both would have appended to it.
          if ((await file.stat()).size !== size) {
            await file.truncate(0);
            throw conflict(digest);
          }
        } finally {
          await file.close();
          // So that a process that goes on living can take it up again.
          await release(path, digest);
        }
        await mkdir(directory, { recursive: true });
        await rename(freeName(path), pathOf(digest));
        return pathOf(digest);
      } catch (thrown) {
        throw cacheError(thrown, cache);
      }
    },
  };
}

/** Process 0 is nobody's. */
function freeName(path: string): string {
  return path.replace(/\.\d+\.([0-9a-f-]+)$/, '.0.$1');
}

async function release(path: string, digest: Digest): Promise<void> {
  await rename(path, freeName(path)).catch(() => {
    throw conflict(digest);
  });
}

function conflict(digest: Digest): ProfGenError {
  return new ProfGenError(
    'environment/cache-conflict',
    `another process wrote to the download of ${digest}`,
    {
      hint: 'try again; give each container its own cache',
      retryable: true,
    },
  );
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return !(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH');
  }
}

async function partialBlob(file: FileHandle): Promise<PartialBlob> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  return {
    get size() {
      return size;
    },
    hash,
    async append(chunk) {
      await file.writeFile(chunk);
      hash.update(chunk);
      size += chunk.length;
    },
    async reset() {
      await file.truncate(0);
      return partialBlob(file);
    },
  };
}
