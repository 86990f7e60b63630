import type { Readable } from 'node:stream';
import {
  type Digest,
  imageConfigSchema,
  isDigest,
  type Platform,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import type Dockerode from 'dockerode';
import { engineError, engineSilent, inTime } from '../engine/engine-call.js';
import { overLimit } from '../limits/image-limits.js';
import { checkedPlatform } from '../manifest/resolve-manifest.js';
import { StreamInput } from '../stream/byte-input.js';
import { readTar, type TarMember } from '../tar/read-tar.js';
import { isTarHeader } from '../tar/tar-header.js';
import type { ImageProvider, LayerSource, ProviderContext } from './image-provider.js';

/** Milliseconds an engine may take to say what an image is, and to be silent while it saves one. */
const inspectTime = 30_000;
const saveSilence = 120_000;

/**
 * An image of the local engine, by what `docker inspect` says and the stream of `docker save`.
 * The stream is read as it comes, nothing of it touches the disk but what the layer store keeps; when
 * all layers are known already it is not even asked for. The digest is the image's id: with the classic
 * storage that is its config's.
 */
export const dockerProvider: ImageProvider<'docker'> = {
  scheme: 'docker',
  async open({ name }, context) {
    // Loaded on demand: the client is large, and most images need none.
    const { default: Docker } = await import('dockerode');
    const { socketPath } = context.engine;
    const engine = new Docker(socketPath === undefined ? undefined : { socketPath });
    const facts = await inspect(engine, name, context);
    if (!isDigest(facts.Id)) throw unexpected(`it calls the image ${printable(String(facts.Id))}`);
    const platform: Platform = checkedPlatform(
      { os: facts.Os, architecture: facts.Architecture, variant: variantOf(facts) },
      context.platform,
    );
    const diffIds = (facts.RootFS?.Layers ?? []).map((layer) => {
      if (!isDigest(layer)) throw unexpected(`it calls a layer ${printable(layer)}`);
      return layer;
    });
    if (diffIds.length > context.limits.layers) throw overLimit('layers', context.limits.layers, 'layers');

    let layers = await known(diffIds, context);
    if (layers === undefined) {
      await readSaved(engine, facts.Id, diffIds, context);
      layers = await known(diffIds, context);
    }
    if (layers === undefined) throw unexpected('what it saved lacks a layer of the image');
    return {
      resolved: `docker:${name}`,
      digest: facts.Id,
      platform,
      config: imageConfigSchema.parse(facts.Config ?? {}),
      content: { type: 'layers', layers },
      engineReference: name,
      close: async () => {},
    };
  },
};

function unexpected(what: string): ProfGenError {
  return new ProfGenError(
    'environment/engine-failed',
    `the container engine gave an unexpected answer: ${what}`,
    {
      hint: 'save the image with `docker save` and open it with docker-archive:FILE',
    },
  );
}

/** Typed loosely by the client; absent for most architectures. */
function variantOf(facts: Dockerode.ImageInspectInfo): string | undefined {
  const variant = (facts as { Variant?: unknown }).Variant;
  return typeof variant === 'string' && variant !== '' ? variant : undefined;
}

async function inspect(
  engine: Dockerode,
  name: string,
  context: ProviderContext,
): Promise<Dockerode.ImageInspectInfo> {
  try {
    return await inTime(engine.getImage(name).inspect(), inspectTime, context.signal);
  } catch (thrown) {
    context.signal?.throwIfAborted();
    throw engineError(thrown, name);
  }
}

async function known(
  diffIds: readonly Digest[],
  context: ProviderContext,
): Promise<readonly LayerSource[] | undefined> {
  const layers: LayerSource[] = [];
  for (const diffId of diffIds) {
    const index = await context.layers.find(diffId);
    if (index === undefined) return undefined;
    layers.push({ digest: diffId, diffId, size: index.size });
  }
  return layers;
}

async function readSaved(
  engine: Dockerode,
  id: string,
  diffIds: readonly Digest[],
  context: ProviderContext,
): Promise<void> {
  async function* saved(): AsyncGenerator<Uint8Array> {
    const stream = (await inTime(engine.getImage(id).get(), saveSilence, context.signal)) as Readable;
    const timer = setTimeout(() => stream.destroy(engineSilent(saveSilence)), saveSilence);
    const abort = (): void => {
      stream.destroy(new Error('aborted'));
    };
    context.signal?.addEventListener('abort', abort);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        timer.refresh();
        context.received(chunk.length);
        yield chunk;
      }
    } finally {
      clearTimeout(timer);
      context.signal?.removeEventListener('abort', abort);
    }
  }
  const input = new StreamInput(saved());
  try {
    for await (const member of readTar(input)) {
      if (await isLayer(member, diffIds, context)) await context.layers.add(member.content());
    }
  } catch (thrown) {
    context.signal?.throwIfAborted();
    throw engineError(thrown, id);
  } finally {
    await input.close();
  }
}

/** `ID/layer.tar` before engine 25; since then blobs by digest, among which are configs and manifests. */
async function isLayer(
  member: TarMember,
  diffIds: readonly Digest[],
  context: ProviderContext,
): Promise<boolean> {
  if (member.type !== 'file') return false;
  if (/^[0-9a-f]{64}\/layer\.tar$/.test(member.name)) return true;
  const blob = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(member.name);
  if (blob === null) return false;
  const digest: Digest = `sha256:${blob[1] ?? ''}`;
  if (diffIds.includes(digest)) return (await context.layers.find(digest)) === undefined;
  // A compressed layer is named by its compressed bytes. The rest is JSON, which cannot begin like this.
  const head = await member.peek(512);
  return head[0] === 0x1f || head[0] === 0x28 || isTarHeader(head);
}
