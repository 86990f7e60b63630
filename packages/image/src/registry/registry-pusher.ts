import { type Digest, ProfGenError, type RegistryReference } from '@prof-gen/core';
import { type AuthorizedRegistry, authorizedRegistry } from './authorized.js';
import type { RegistryOptions } from './registry-options.js';
import { answerError, transport } from './transport.js';

interface PushedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Its bytes from the start, as often as wanted. */
  open(): AsyncIterable<Uint8Array>;
}

export interface PushedImage {
  readonly manifest: { readonly mediaType: string; readonly bytes: Uint8Array };
  /** Config and layers. */
  readonly blobs: readonly PushedBlob[];
}

export interface RegistryPusher {
  /**
   * Puts an image into a repository. A blob that the repository has is not sent; one that was seen in another
   * repository of the registry is mounted from there.
   * @returns the bytes that were sent
   * @throws ProfGenError `registry/*`
   */
  push(repository: string, tag: string, image: PushedImage): Promise<number>;
}

export interface RegistryPusherOptions {
  readonly registry?: RegistryOptions;
  readonly signal?: AbortSignal;
  readonly sent?: (bytes: number) => void;
  readonly warn?: (error: ProfGenError) => void;
}

/** Bytes of one request: small enough that a slow line is no silence. */
const pieceSize = 4 * 1024 * 1024;

/** Fills a registry (OCI distribution specification, "Push"). One pusher remembers which repository has which blob. */
export function registryPusher(
  registry: RegistryReference['registry'],
  { registry: options = {}, signal, sent = () => {}, warn = () => {} }: RegistryPusherOptions = {},
): RegistryPusher {
  const net = transport(options, signal);
  /** A repository that surely has the blob. */
  const holders = new Map<Digest, string>();

  return {
    async push(repository, tag, { manifest, blobs }) {
      const target = authorizedRegistry({ registry, repository }, 'pull,push', net, options, warn);
      let bytes = 0;
      for (const blob of blobs) {
        const other = holders.get(blob.digest);
        if (await net.retrying(() => putBlob(target, blob, other, sent))) bytes += blob.size;
        holders.set(blob.digest, repository);
      }
      await net.retrying(async () => {
        const answer = await target.send({
          path: `manifests/${tag}`,
          method: 'PUT',
          headers: { 'content-type': manifest.mediaType },
          body: new Uint8Array(manifest.bytes),
          what: `${tag} (its manifest)`,
        });
        await answer.discard();
      });
      return bytes;
    },
  };
}

/** @returns whether the blob had to be sent */
async function putBlob(
  target: AuthorizedRegistry,
  blob: PushedBlob,
  other: string | undefined,
  sent: (bytes: number) => void,
): Promise<boolean> {
  const { digest } = blob;
  const head = await target.send({ path: `blobs/${digest}`, method: 'HEAD', what: digest, also: [404] });
  await head.discard();
  if (head.status !== 404) return false;
  const from = other === undefined ? '' : `?mount=${digest}&from=${encodeURIComponent(other)}`;
  const begun = await target.send({ path: `blobs/uploads/${from}`, method: 'POST', what: digest });
  await begun.discard();
  if (begun.status === 201) return false;

  let url = locationOf(begun.headers, target);
  let at = 0;
  for await (const piece of pieces(blob.open())) {
    const answer = await target.send({
      path: url,
      method: 'PATCH',
      headers: {
        'content-type': 'application/octet-stream',
        'content-range': `${at}-${at + piece.length - 1}`,
      },
      body: piece,
      what: digest,
    });
    await answer.discard();
    url = locationOf(answer.headers, target);
    at += piece.length;
    sent(piece.length);
  }
  url.searchParams.set('digest', digest);
  const end = await target.send({ path: url, method: 'PUT', what: digest });
  if (end.status !== 201) throw await answerError(end, target.host, digest);
  await end.discard();
  return true;
}

/** Where the upload goes on; the address may be relative (RFC 9110, 10.2.2). */
function locationOf(headers: Headers, { base, host }: AuthorizedRegistry): URL {
  const location = headers.get('location') ?? '';
  const url = location !== '' && URL.canParse(location, base.href) ? new URL(location, base.href) : undefined;
  if (url?.origin !== base.origin) {
    throw new ProfGenError('registry/failed', `${host} does not say where to send a blob to`, {
      hint: 'is it a registry? Its address must be the one that it knows itself by',
    });
  }
  return url;
}

async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size < pieceSize) continue;
    yield new Uint8Array(Buffer.concat(parts, size));
    parts = [];
    size = 0;
  }
  if (size > 0) yield new Uint8Array(Buffer.concat(parts, size));
}
