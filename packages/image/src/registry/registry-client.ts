import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Digest, isDigest, ProfGenError, printable, type RegistryReference } from '@prof-gen/core';
import type { BlobStore, PartialBlob } from '../cache/blob-store.js';
import { sha256, verifiedBytes } from '../stream/verified.js';
import { authorizedRegistry } from './authorized.js';
import type { RegistryOptions } from './registry-options.js';
import { type Answer, type Transport, transport } from './transport.js';

/** Everything understood, indexes first; a registry gives what fits first (OCI distribution specification). */
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Sized {
  readonly digest: Digest;
  readonly size: number;
}

/** One repository of a registry. What has a digest is taken from the cache when it is there. */
export interface RegistryClient {
  /**
   * What a tag stands for now, asked by HEAD, which Docker Hub does not count as a pull.
   * @returns undefined when the registry does not say it in this way
   * @throws ProfGenError `image/not-found`, `registry/*`
   */
  resolve(tag: string): Promise<Digest | undefined>;
  /** @throws ProfGenError `image/not-found`, `registry/*` */
  manifest(tagOrDigest: string, limit: number): Promise<{ digest: Digest; bytes: Uint8Array }>;
  /** A small blob, whole. @throws ProfGenError `registry/digest-mismatch`, … */
  bytes(descriptor: Sized): Promise<Uint8Array>;
  /** A blob through the cache, downloaded and verified before the first byte is given. */
  stream(descriptor: Sized): AsyncIterable<Uint8Array>;
}

export interface RegistryClientOptions {
  readonly blobs: BlobStore;
  readonly options: RegistryOptions;
  readonly signal: AbortSignal | undefined;
  readonly received: (bytes: number) => void;
  readonly warn: (error: ProfGenError) => void;
}

export function registryClient(name: RegistryReference, context: RegistryClientOptions): RegistryClient {
  const { blobs, received, warn } = context;
  const net: Transport = transport(context.options, context.signal);
  const registry = authorizedRegistry(name, 'pull', net, context.options, warn);

  const ask = (
    path: string,
    headers: Readonly<Record<string, string>>,
    what: string,
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<Answer> => registry.send({ path, method, headers, what });

  async function resolve(tag: string): Promise<Digest | undefined> {
    return net.retrying(async () => {
      const answer = await ask(`manifests/${tag}`, { accept: manifestTypes }, printable(tag), 'HEAD');
      await answer.discard();
      const digest = answer.headers.get('docker-content-digest') ?? '';
      return isDigest(digest) ? digest : undefined;
    });
  }

  async function manifest(
    tagOrDigest: string,
    limit: number,
  ): Promise<{ digest: Digest; bytes: Uint8Array }> {
    const wanted = tagOrDigest.startsWith('sha256:') ? (tagOrDigest as Digest) : undefined;
    const path = wanted === undefined ? undefined : await blobs.find(wanted);
    if (wanted !== undefined && path !== undefined) {
      const bytes = await readFile(path);
      if (sha256(bytes) === wanted) return { digest: wanted, bytes };
    }
    return net.retrying(async () => {
      const answer = await ask(`manifests/${tagOrDigest}`, { accept: manifestTypes }, printable(tagOrDigest));
      const bytes = await answer.bytes(limit);
      const digest = sha256(bytes);
      const claimed = answer.headers.get('docker-content-digest');
      const expected = wanted ?? (claimed?.startsWith('sha256:') ? (claimed as Digest) : digest);
      if (digest !== expected) throw mismatch(expected, digest, registry.host);
      await blobs.put(digest, bytes);
      return { digest, bytes };
    });
  }

  /** Appends what is missing, asking from where the last try ended. */
  async function download({ digest, size }: Sized, begun: PartialBlob): Promise<PartialBlob> {
    let partial = begun.size > size ? await begun.reset() : begun;
    received(partial.size);
    let before = partial.size;
    const progressed = (): boolean => {
      const more = partial.size > before;
      before = partial.size;
      return more;
    };
    // A wrong blob is asked for once more: caches between here and the registry cut and mix up.
    for (let round = 0; ; round += 1) {
      await net.retrying(async () => {
        if (partial.size === size) return;
        const from = partial.size;
        const answer = await ask(`blobs/${digest}`, from > 0 ? { range: `bytes=${from}-` } : {}, digest);
        const resumed =
          answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${from}-`) === true;
        if (from > 0 && !resumed) partial = await partial.reset();
        for await (const chunk of answer.body()) {
          if (partial.size + chunk.length > size) {
            await partial.reset();
            throw sizeMismatch(digest, size, registry.host);
          }
          await partial.append(chunk);
          received(chunk.length);
        }
        // The connection ended in order but too early: not an error for HTTP without a length.
        if (partial.size < size) throw cutOff(digest, registry.host);
      }, progressed);
      const found: Digest = `sha256:${partial.hash.copy().digest('hex')}`;
      if (found === digest) return partial;
      partial = await partial.reset();
      if (round === 1) throw mismatch(digest, found, registry.host);
    }
  }

  async function ensure(descriptor: Sized): Promise<string> {
    const found = await blobs.find(descriptor.digest, descriptor.size);
    if (found !== undefined) {
      received(descriptor.size);
      return found;
    }
    return blobs.fill(descriptor.digest, (partial) => download(descriptor, partial));
  }

  return {
    resolve,
    manifest,
    async bytes(descriptor) {
      return verifiedBytes(await readFile(await ensure(descriptor)), descriptor.digest);
    },
    async *stream(descriptor) {
      yield* createReadStream(await ensure(descriptor), { highWaterMark: 256 * 1024 });
    },
  };
}

const wrongBytes = 'something between you and the registry changes what it sends, or the registry is damaged';

function mismatch(expected: Digest, found: Digest, host: string): ProfGenError {
  return new ProfGenError(
    'registry/digest-mismatch',
    `${host} sent ${found} where ${expected} was asked for`,
    {
      hint: wrongBytes,
      details: { expected, found },
    },
  );
}

function sizeMismatch(digest: Digest, size: number, host: string): ProfGenError {
  return new ProfGenError('registry/size-mismatch', `${host} sent more than the ${size} bytes of ${digest}`, {
    hint: wrongBytes,
  });
}

function cutOff(digest: Digest, host: string): ProfGenError {
  return new ProfGenError('registry/cut-off', `${host} ended ${digest} early`, {
    hint: 'try again: the download goes on where it ended',
    retryable: true,
  });
}
