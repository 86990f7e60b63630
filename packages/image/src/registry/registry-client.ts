import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Digest, isDigest, ProfGenError, printable, type RegistryReference } from '@prof-gen/core';
import type { BlobStore, PartialBlob } from '../cache/blob-store.js';
import { sha256, verifiedBytes } from '../stream/verified.js';
import { type Authorizer, authorizer } from './authorizer.js';
import { type Credentials, credentialsFor } from './credentials.js';
import { endpointOf } from './endpoint.js';
import type { RegistryOptions } from './registry-options.js';
import { type Answer, answerError, type Transport, transport } from './transport.js';

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
  const endpoint = endpointOf(name.registry);
  const net: Transport = transport(context.options, context.signal);
  const credentialErrors: unknown[] = [];
  let known: Promise<Credentials | undefined> | undefined;
  // A broken helper must not stop what needs no login; if the registry insists, its error tells of it.
  const credentials = (): Promise<Credentials | undefined> => {
    known ??= credentialsFor(name.registry, context.options.dockerConfig).catch((thrown: unknown) => {
      credentialErrors.push(thrown);
      if (thrown instanceof ProfGenError) warn(thrown);
      return undefined;
    });
    return known;
  };
  const access: Authorizer = authorizer(endpoint, `repository:${name.repository}:pull`, credentials, net);

  /** One request with at most one more answer to a challenge: a registry that never has enough ends with its 401. */
  async function ask(
    path: string,
    headers: Readonly<Record<string, string>>,
    what: string,
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<Answer> {
    const url = new URL(`v2/${name.repository}/${path}`, endpoint);
    let authorization = access.current();
    for (let round = 0; ; round += 1) {
      const answer = await net.send({
        url,
        method,
        headers,
        ...(authorization === undefined ? {} : { authorization }),
      });
      if (answer.status === 401 && round < 2) {
        const next = await access.challenged(answer.headers.get('www-authenticate'), authorization);
        if (next !== undefined && next !== authorization) {
          await answer.discard();
          authorization = next;
          continue;
        }
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      throw await answerError(answer, endpoint.host, `${name.repository} ${what}`, credentialErrors);
    }
  }

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
      if (digest !== expected) throw mismatch(expected, digest, endpoint.host);
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
            throw sizeMismatch(digest, size, endpoint.host);
          }
          await partial.append(chunk);
          received(chunk.length);
        }
        // The connection ended in order but too early: not an error for HTTP without a length.
        if (partial.size < size) throw cutOff(digest, endpoint.host);
      }, progressed);
      const found: Digest = `sha256:${partial.hash.copy().digest('hex')}`;
      if (found === digest) return partial;
      partial = await partial.reset();
      if (round === 1) throw mismatch(digest, found, endpoint.host);
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
