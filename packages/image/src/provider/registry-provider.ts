import { formatRegistryReference } from '@prof-gen/core';
import { blobStore } from '../cache/blob-store.js';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import { type BlobReader, resolveManifest } from '../manifest/resolve-manifest.js';
import { type RegistryClient, registryClient } from '../registry/registry-client.js';
import type { ImageProvider, LayerSource } from './image-provider.js';

/** Manifests and configs of a repository, no larger than the limits. */
export function registryBlobs(client: RegistryClient, limits: ImageLimits): BlobReader {
  return async (descriptor, kind) => {
    const limit = kind === 'manifest' ? 'manifestBytes' : 'configBytes';
    if (descriptor.size > limits[limit]) throw overLimit(limit, limits[limit], `bytes of the ${kind}`);
    if (kind === 'config') return client.bytes(descriptor);
    return (await client.manifest(descriptor.digest, limits.manifestBytes)).bytes;
  };
}

/** A registry that speaks the OCI distribution protocol. A name with a digest that is in the cache asks nobody. */
export const registryProvider: ImageProvider<'registry'> = {
  scheme: 'registry',
  async open({ name }, context) {
    const { limits, platform, signal, warn } = context;
    const blobs = blobStore(context.cache);
    const common = { blobs, options: context.registry, signal, warn };
    // What counts for progress is layers.
    const small = registryClient(name, { ...common, received: () => {} });
    const large = registryClient(name, { ...common, received: context.received });
    const first = await small.manifest(name.digest ?? name.tag ?? 'latest', limits.manifestBytes);
    const image = await resolveManifest(first, platform, limits, registryBlobs(small, limits));
    const layers = image.manifest.layers.map((descriptor, i): LayerSource => {
      const { digest, size } = descriptor;
      if (size > limits.bytes) throw overLimit('bytes', limits.bytes, 'bytes of a compressed layer');
      return {
        digest,
        size,
        diffId: image.configFile.rootfs.diff_ids[i] ?? digest,
        open: () => large.stream(descriptor),
      };
    });
    return {
      resolved: `registry:${formatRegistryReference(name)}`,
      digest: image.digest,
      platform: image.platform,
      config: image.configFile.config,
      configBytes: image.configBytes,
      content: { type: 'layers', layers },
      close: async () => {},
    };
  },
};
