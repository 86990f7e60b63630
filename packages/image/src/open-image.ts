import { resolve } from 'node:path';
import {
  defaultPlatform,
  type Digest,
  type EventSink,
  errorData,
  type FileTree,
  type ImageConfig,
  type ImageReference,
  ignoreEvents,
  type Platform,
  ProfGenError,
  parseImageReference,
} from '@prof-gen/core';
import { contentStore } from './cache/content-store.js';
import { exportLayers, exportTree } from './export/docker-archive.js';
import type { LayerIndex } from './layer/layer-index-file.js';
import { layerStore } from './layer/layer-store.js';
import { defaultImageLimits, type ImageLimits, overLimit } from './limits/image-limits.js';
import { dirProvider } from './provider/dir-provider.js';
import { dockerArchiveProvider } from './provider/docker-archive-provider.js';
import { dockerProvider } from './provider/docker-provider.js';
import { expandReference, nowhere, type Place } from './provider/expand-reference.js';
import type { LayerSource, ProvidedImage, ProviderContext } from './provider/image-provider.js';
import { ociArchiveProvider, ociProvider } from './provider/oci-provider.js';
import { registryProvider } from './provider/registry-provider.js';
import type { RegistryOptions } from './registry/registry-options.js';
import { concurrently } from './stream/concurrently.js';
import { imageTree } from './tree/image-tree.js';
import { mergeLayers } from './tree/merge-layers.js';

export interface OpenImageOptions {
  /** Directory of the cache, the only place written to. Several processes may share it. */
  readonly cache: string;
  /** Default linux/amd64. */
  readonly platform?: Platform;
  readonly limits?: Partial<ImageLimits>;
  /** Socket of the container engine; by default what DOCKER_HOST says, then Docker's own. */
  readonly engine?: { readonly socketPath?: string };
  readonly registry?: RegistryOptions;
  readonly onEvent?: EventSink;
  /** What events call the image; by default the reference. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

export interface OpenedImage {
  /** As given. */
  readonly reference: string;
  /** What it turned out to be, such as `registry:docker.io/library/nginx:1.29`. */
  readonly resolved: string;
  /**
   * Of the manifest for the platform. Where there is none: of the config (docker-archive:), the engine's
   * image id (docker:), or of the sorted tree (dir:).
   */
  readonly digest: Digest;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly tree: FileTree;
  /** Lowest first; none for a directory. `digest` and `size` are of the layer as stored, mostly compressed. */
  readonly layers: readonly { readonly digest: Digest; readonly diffId: Digest; readonly size: number }[];
  /** Set where the engine has the image already, so that nothing has to be loaded. */
  readonly engineReference?: string;
  /**
   * What `docker load` reads, to become `tag`.
   * @throws ProfGenError `image/not-loadable` for an image that came from the engine
   */
  exportDockerArchive(tag: string): AsyncIterable<Uint8Array>;
  /** To be called when the tree is no longer read. */
  close(): Promise<void>;
}

/** Every kind of place that images come from. */
function openPlace(place: Place, context: ProviderContext): Promise<ProvidedImage> {
  switch (place.scheme) {
    case 'dir':
      return dirProvider.open(place, context);
    case 'docker-archive':
      return dockerArchiveProvider.open(place, context);
    case 'oci':
      return ociProvider.open(place, context);
    case 'oci-archive':
      return ociArchiveProvider.open(place, context);
    case 'docker':
      return dockerProvider.open(place, context);
    case 'registry':
      return registryProvider.open(place, context);
  }
}

/** Layers that are read at once: enough to hide the network, few enough for memory. */
const layersAtOnce = 3;

/** Bytes between two progress events. */
const progressStep = 4 * 1024 * 1024;

/**
 * Opens an image as a read-only tree. Nothing of it is executed, and nothing is written but to the cache.
 * @throws ProfGenError `usage/reference`, `image/*`, `registry/*`, `archive/*`, `environment/*`
 */
export async function openImage(reference: string, options: OpenImageOptions): Promise<OpenedImage> {
  const limits: ImageLimits = { ...defaultImageLimits, ...options.limits };
  const cache = resolve(options.cache);
  const contents = contentStore(cache);
  const layers = layerStore(cache, contents, limits);
  const progress = progressOf(options.onEvent ?? ignoreEvents, options.name ?? reference);
  const context: ProviderContext = {
    cache,
    platform: options.platform ?? defaultPlatform,
    limits,
    layers,
    engine: options.engine ?? {},
    registry: options.registry ?? {},
    signal: options.signal,
    received: progress.received,
    warn: progress.warn,
  };
  try {
    const provided = await provide(parseImageReference(reference), context);
    try {
      const opened = await openProvided(provided, context, progress.expect, (entry) => {
        // The tree asks only for entries with a digest.
        return contents.read(entry.digest as Digest);
      });
      return { reference, ...opened };
    } catch (thrown) {
      await provided.close();
      throw thrown;
    }
  } catch (thrown) {
    if (options.signal?.aborted === true) {
      throw new ProfGenError('image/aborted', 'opening the image was interrupted', { retryable: true });
    }
    throw thrown;
  }
}

async function provide(reference: ImageReference, context: ProviderContext): Promise<ProvidedImage> {
  const { places, ruledOut } = await expandReference(reference, context);
  const failures: unknown[] = [...ruledOut];
  for (const place of places) {
    try {
      return await openPlace(place, context);
    } catch (thrown) {
      context.signal?.throwIfAborted();
      failures.push(thrown);
    }
  }
  // One place alone, because the reference named it: its own error is the clearest.
  if (failures.length === 1) throw failures[0];
  throw nowhere(reference.text, failures);
}

type ContentRead = Parameters<typeof imageTree>[1];

async function openProvided(
  provided: ProvidedImage,
  context: ProviderContext,
  expect: (bytes: number) => void,
  readKept: ContentRead,
): Promise<Omit<OpenedImage, 'reference'>> {
  const { resolved, digest, platform, config, content, engineReference } = provided;
  const common = {
    resolved,
    digest,
    platform,
    config,
    ...(engineReference === undefined ? {} : { engineReference }),
    close: () => provided.close(),
  };
  if (content.type === 'tree') {
    const tree = imageTree(content.root, content.readContent);
    return {
      ...common,
      tree,
      layers: [],
      exportDockerArchive: (tag) => exportTree(tag, tree, platform, config, content.stream),
    };
  }
  const indexes = await readLayers(content.layers, context, expect);
  const tree = imageTree(mergeLayers(indexes.map(({ root }) => root)), readKept);
  return {
    ...common,
    tree,
    layers: content.layers.map(({ digest: layer, diffId, size }) => ({ digest: layer, diffId, size })),
    exportDockerArchive: (tag) =>
      exportLayers(
        tag,
        provided,
        content.layers,
        indexes.map(({ size }) => size),
        context.limits,
      ),
  };
}

async function readLayers(
  sources: readonly LayerSource[],
  { layers, limits, signal }: ProviderContext,
  expect: (bytes: number) => void,
): Promise<readonly LayerIndex[]> {
  const known = await concurrently(sources, layersAtOnce, ({ diffId }) => layers.find(diffId));
  expect(sources.reduce((sum, { size }, i) => (known[i] === undefined ? sum + size : sum), 0));
  const indexes = await concurrently(sources, layersAtOnce, async ({ diffId, open }, i) => {
    signal?.throwIfAborted();
    const index = known[i];
    if (index !== undefined) return index;
    if (open === undefined) throw new ProfGenError('image/content-missing', `the cache lost layer ${diffId}`);
    return layers.add(abortable(open(), signal), diffId);
  });
  const sum = (count: (index: LayerIndex) => number): number =>
    indexes.reduce((all, index) => all + count(index), 0);
  if (sum(({ entries }) => entries) > limits.entries)
    throw overLimit('entries', limits.entries, 'names in the image');
  if (sum(({ bytes }) => bytes) > limits.bytes)
    throw overLimit('bytes', limits.bytes, 'bytes of the files of the image');
  return indexes;
}

async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

function progressOf(
  sink: EventSink,
  image: string,
): {
  received: (bytes: number) => void;
  expect: (bytes: number) => void;
  warn: (error: ProfGenError) => void;
} {
  let done = 0;
  let total: number | undefined;
  let told = 0;
  return {
    received(bytes) {
      done += bytes;
      if (done - told < progressStep) return;
      told = done;
      // A resumed or repeated download can bring more than was expected.
      const all = total === undefined ? {} : { total: Math.max(total, done) };
      sink({ type: 'progress', image, phase: 'open', done, ...all, unit: 'bytes' });
    },
    expect(bytes) {
      if (bytes > 0) total = bytes;
    },
    warn(error) {
      sink({ type: 'warning', image, error: errorData(error) });
    },
  };
}
