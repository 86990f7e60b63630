import { createHash, type Hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, ProfGenError } from '@prof-gen/core';
import { writeAtomically } from '../cache/atomic-file.js';
import { cacheError } from '../cache/cache-error.js';
import type { ContentStore } from '../cache/content-store.js';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import { StreamInput } from '../stream/byte-input.js';
import { decompress } from '../stream/decompress.js';
import type { LayerNode } from '../tree/tree-node.js';
import { indexLayer } from './index-layer.js';
import { keepPolicyVersion } from './keep-policy.js';
import { decodeLayerIndex, encodeLayerIndex, type LayerIndex } from './layer-index-file.js';

/** Layers already read, by the digest of their uncompressed tar: equal layers are read once for a whole corpus. */
export interface LayerStore {
  find(diffId: Digest): Promise<LayerIndex | undefined>;
  /**
   * Reads a layer, compressed or not, to its end, and keeps what it found.
   * @throws ProfGenError `image/digest-mismatch` when the uncompressed bytes are not `diffId`; `archive/*`
   */
  add(source: AsyncIterable<Uint8Array>, diffId?: Digest): Promise<LayerIndex>;
}

/** Indexes being made in this process, by file: two images of one corpus share most of their layers. */
const underWay = new Map<string, Promise<LayerIndex>>();

export function layerStore(cache: string, contents: ContentStore, limits: ImageLimits): LayerStore {
  // Another policy keeps other files, so its indexes are not ours.
  const policy = createHash('sha256')
    .update(
      JSON.stringify([keepPolicyVersion, limits.keptElfBytes, limits.keptScriptBytes, limits.keptTextBytes]),
    )
    .digest('hex')
    .slice(0, 8);
  const pathOf = (diffId: Digest): string =>
    join(cache, 'layers', `${diffId.slice('sha256:'.length)}-${policy}.jsonl`);

  async function find(diffId: Digest): Promise<LayerIndex | undefined> {
    const text = await readFile(pathOf(diffId), 'utf8').catch(() => undefined);
    const index = text === undefined ? undefined : decodeLayerIndex(text);
    if (index === undefined || index.diffId !== diffId || !isComplete(index.root)) return undefined;
    if (index.entries > limits.entries) throw overLimit('entries', limits.entries, 'names in a layer');
    if (index.bytes > limits.bytes) throw overLimit('bytes', limits.bytes, 'bytes of the files in a layer');
    return index;
  }

  function isComplete(node: LayerNode): boolean {
    if (node.digest !== undefined && !contents.has(node.digest, node.size)) return false;
    for (const child of node.children?.values() ?? []) if (!isComplete(child)) return false;
    return true;
  }

  async function read(source: AsyncIterable<Uint8Array>, expected: Digest | undefined): Promise<LayerIndex> {
    const hash = createHash('sha256');
    const input = new StreamInput(counted(decompress(source, limits), hash, limits));
    try {
      const { root, entries, bytes } = await indexLayer(input, contents, limits);
      // The rest after the end of the archive counts for the digest.
      await input.skip(Number.MAX_SAFE_INTEGER);
      const diffId: Digest = `sha256:${hash.digest('hex')}`;
      if (expected !== undefined && diffId !== expected) {
        throw new ProfGenError('image/digest-mismatch', `a layer should be ${expected} but is ${diffId}`, {
          hint: 'the image is damaged or was tampered with: pull or save it again',
        });
      }
      const index = { diffId, size: input.position, entries, bytes, root };
      const text = encodeLayerIndex(index);
      await writeAtomically(pathOf(diffId), async (file) => {
        await file.writeFile(text);
      });
      return index;
    } catch (thrown) {
      throw cacheError(thrown, cache);
    } finally {
      await input.close();
    }
  }

  return {
    find,
    async add(source, diffId) {
      if (diffId === undefined) return read(source, undefined);
      const key = pathOf(diffId);
      const other = underWay.get(key);
      // When the other one fails, for whatever reason of its own, this one still has a source to read.
      const shared = await other?.catch(() => undefined);
      if (shared !== undefined) return shared;
      const mine = read(source, diffId);
      underWay.set(key, mine);
      try {
        return await mine;
      } finally {
        if (underWay.get(key) === mine) underWay.delete(key);
      }
    },
  };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  hash: Hash,
  limits: ImageLimits,
): AsyncGenerator<Uint8Array> {
  // A tar has headers and padding beside its files; twice the limit leaves room for the smallest of them.
  let left = 2 * limits.bytes + 1024 * 1024;
  for await (const chunk of source) {
    left -= chunk.length;
    if (left < 0) throw overLimit('bytes', limits.bytes, 'bytes of an uncompressed layer');
    hash.update(chunk);
    yield chunk;
  }
}
