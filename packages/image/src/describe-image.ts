import { resolve } from 'node:path';
import {
  type Digest,
  defaultPlatform,
  type ImageConfig,
  type Platform,
  type ProfGenError,
  type RegistryReference,
} from '@prof-gen/core';
import { blobStore } from './cache/blob-store.js';
import { defaultImageLimits } from './limits/image-limits.js';
import { resolveManifest } from './manifest/resolve-manifest.js';
import { registryBlobs } from './provider/registry-provider.js';
import { registryClient } from './registry/registry-client.js';
import type { RegistryOptions } from './registry/registry-options.js';

export interface DescribeImageOptions {
  /** Directory of the cache: manifests and configs that are there are not asked for again. */
  readonly cache: string;
  /** Default linux/amd64. */
  readonly platform?: Platform;
  readonly registry?: RegistryOptions;
  readonly warn?: (error: ProfGenError) => void;
  readonly signal?: AbortSignal;
}

/** An image without its files: what a registry tells in a few kilobytes. */
export interface ImageDescription {
  /** What the name stands for now: an index of platforms, or a manifest. */
  readonly digest: Digest;
  /** Of the manifest for the platform. */
  readonly manifest: Digest;
  /** All that the index offers, in its order. */
  readonly platforms: readonly Platform[];
  readonly config: ImageConfig;
  /** Bytes of the layers as stored. */
  readonly size: number;
}

/**
 * Manifest and config of an image in a registry. A tag is asked for by HEAD; GET follows for what the cache lacks.
 * @throws ProfGenError `image/*`, `registry/*`, `archive/too-large`, `environment/*`
 */
export async function describeImage(
  name: RegistryReference,
  options: DescribeImageOptions,
): Promise<ImageDescription> {
  const limits = defaultImageLimits;
  const client = registryClient(name, {
    blobs: blobStore(resolve(options.cache)),
    options: options.registry ?? {},
    signal: options.signal,
    received: () => {},
    warn: options.warn ?? (() => {}),
  });
  const tag = name.tag ?? 'latest';
  const pinned = name.digest ?? (await client.resolve(tag)) ?? tag;
  const first = await client.manifest(pinned, limits.manifestBytes);
  const image = await resolveManifest(
    first,
    options.platform ?? defaultPlatform,
    limits,
    registryBlobs(client, limits),
  );
  return {
    digest: first.digest,
    manifest: image.digest,
    platforms: image.platforms,
    config: image.configFile.config,
    size: image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
  };
}
