import { createHash } from 'node:crypto';
import {
  type Digest,
  type FileEntry,
  type FileTree,
  type ImageConfig,
  type Platform,
  ProfGenError,
} from '@prof-gen/core';
import type { LayerSource, ProvidedImage } from '../provider/image-provider.js';
import { decompress } from '../stream/decompress.js';
import { sha256 } from '../stream/verified.js';
import { tarEnd, tarHeader, tarPadding } from '../tar/write-tar.js';

export interface ArchivedLayer {
  readonly diffId: Digest;
  /** Of the uncompressed tar. */
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface ArchivedImage {
  readonly tag: string;
  /** Lowest first. */
  readonly layers: readonly ArchivedLayer[];
  /** Asked for when all layers have been given. */
  readonly configBytes: () => Uint8Array;
}

/**
 * The stream that `docker load` takes, as engines of all ages do: layers as `DIFFID/layer.tar`, uncompressed and each
 * once, configs and `manifest.json` (moby, image/tarexport). Sizes are known beforehand, so nothing is held.
 */
export async function* dockerArchive(images: readonly ArchivedImage[]): AsyncGenerator<Uint8Array> {
  const nameOf = ({ diffId }: ArchivedLayer): string => `${diffId.slice('sha256:'.length)}/layer.tar`;
  const written = new Set<string>();
  for (const layer of images.flatMap(({ layers }) => layers)) {
    const name = nameOf(layer);
    if (written.has(name)) continue;
    written.add(name);
    yield tarHeader({ name, type: 'file', mode: 0o644, size: layer.size });
    yield* exactly(layer.open(), layer.size);
    yield tarPadding(layer.size);
  }
  const configs = images.map(({ configBytes }) => {
    const bytes = configBytes();
    return [`${sha256(bytes).slice('sha256:'.length)}.json`, bytes] as const;
  });
  const manifest = images.map(({ tag, layers }, i) => ({
    Config: configs[i]?.[0],
    RepoTags: [tag],
    Layers: layers.map(nameOf),
  }));
  const files = [...new Map(configs), ['manifest.json', Buffer.from(JSON.stringify(manifest))] as const];
  for (const [name, bytes] of files) {
    yield tarHeader({ name, type: 'file', mode: 0o644, size: bytes.length });
    yield bytes;
    yield tarPadding(bytes.length);
  }
  yield tarEnd;
}

async function* exactly(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of source) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) {
    throw new ProfGenError('image/digest-mismatch', 'a layer has another size than when it was read', {
      hint: 'it changed in between: open the image again',
      retryable: true,
    });
  }
}

/** @param sizes of the uncompressed layers @throws ProfGenError `image/not-loadable` */
export function exportLayers(
  tag: string,
  image: ProvidedImage,
  layers: readonly LayerSource[],
  sizes: readonly number[],
  limits: Parameters<typeof decompress>[1],
): AsyncIterable<Uint8Array> {
  const { configBytes } = image;
  const exported = layers.map(({ diffId, open }, i): ArchivedLayer => {
    if (open === undefined || configBytes === undefined) throw notLoadable(image);
    return { diffId, size: sizes[i] ?? 0, open: () => decompress(open(), limits) };
  });
  if (configBytes === undefined) throw notLoadable(image);
  return dockerArchive([{ tag, layers: exported, configBytes: () => configBytes }]);
}

function notLoadable(image: ProvidedImage): ProfGenError {
  return new ProfGenError('image/not-loadable', `${image.resolved} is in the engine already`, {
    hint: `run it by its name there: ${image.engineReference ?? image.digest}`,
  });
}

/** A directory as an image of one layer. Its entries are owned and linked as in the directory; there are no times. */
export function exportTree(
  tag: string,
  tree: FileTree,
  platform: Platform,
  config: ImageConfig,
  stream: (path: string) => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const entries = [...tree.entries()].filter(({ type }) => !type.endsWith('device'));
  const headerOf = (entry: FileEntry): Uint8Array =>
    tarHeader({
      name: entry.path === '/' ? './' : `${entry.path.slice(1)}${entry.type === 'directory' ? '/' : ''}`,
      type: entry.type,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      size: entry.size,
      ...(entry.target === undefined ? {} : { linkName: entry.target }),
    });
  const size = entries.reduce(
    (sum, entry) => sum + headerOf(entry).length + entry.size + tarPadding(entry.size).length,
    tarEnd.length,
  );
  const hash = createHash('sha256');
  async function* tar(): AsyncGenerator<Uint8Array> {
    for (const entry of entries) {
      yield headerOf(entry);
      if (entry.type !== 'file') continue;
      yield* exactly(stream(entry.path), entry.size);
      yield tarPadding(entry.size);
    }
    yield tarEnd;
  }
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of tar()) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const { os, architecture, variant } = platform;
  // The name of the layer's member need not be its digest, which is known at its end alone.
  const layer: ArchivedLayer = { diffId: `sha256:${'0'.repeat(64)}`, size, open: hashed };
  const configBytes = () =>
    Buffer.from(
      JSON.stringify({
        architecture,
        os,
        ...(variant === undefined ? {} : { variant }),
        config: {
          Env: config.env,
          Entrypoint: config.entrypoint,
          Cmd: config.cmd,
          WorkingDir: config.workingDir,
        },
        rootfs: { type: 'layers', diff_ids: [`sha256:${hash.digest('hex')}`] },
        history: [],
      }),
    );
  return dockerArchive([{ tag, layers: [layer], configBytes }]);
}
