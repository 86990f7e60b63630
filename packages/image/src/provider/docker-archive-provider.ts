import { resolve } from 'node:path';
import { dockerArchiveManifestSchema, ProfGenError, printable } from '@prof-gen/core';
import { entryComponents } from '../layer/layer-builder.js';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import { parseJson } from '../manifest/parse-json.js';
import { checkedPlatform, parseConfigFile } from '../manifest/resolve-manifest.js';
import { sha256 } from '../stream/verified.js';
import type { ImageProvider, LayerSource, ProviderContext } from './image-provider.js';
import { archiveBlobs, type NamedBlobs } from './named-blobs.js';

/** What `docker save` writes: engines before 25 (`ID/layer.tar`, links between equal layers) and since (OCI blobs). */
export const dockerArchiveProvider: ImageProvider<'docker-archive'> = {
  scheme: 'docker-archive',
  async open({ file }, context) {
    const path = resolve(file);
    const blobs = await archiveBlobs(path, context.cache, context.limits);
    try {
      const { limits } = context;
      const manifest = parseJson(
        dockerArchiveManifestSchema,
        await blobs.bytes('manifest.json', 'manifestBytes'),
        'manifest.json',
      );
      const [image, ...others] = manifest;
      if (image === undefined || others.length > 0) {
        const tags = manifest.flatMap((each) => each.RepoTags ?? []).join(', ');
        throw new ProfGenError(
          'image/ambiguous',
          `the archive has ${manifest.length} images: ${printable(tags)}`,
          {
            hint: 'save one image alone: docker save -o FILE IMAGE',
          },
        );
      }
      if (image.Layers.length > limits.layers) throw overLimit('layers', limits.layers, 'layers');
      const configBytes = await blobs.bytes(memberName(image.Config, limits), 'configBytes');
      const configFile = parseConfigFile(configBytes, image.Layers.length);
      const platform = checkedPlatform(configFile, context.platform);
      const layers: LayerSource[] = [];
      for (const [i, layer] of image.Layers.entries()) {
        const diffId = configFile.rootfs.diff_ids[i];
        if (diffId !== undefined)
          layers.push(await layerOf(blobs, memberName(layer, limits), diffId, context));
      }
      return {
        resolved: `docker-archive:${path}`,
        digest: sha256(configBytes),
        platform,
        config: configFile.config,
        configBytes,
        content: { type: 'layers', layers },
        close: () => blobs.close(),
      };
    } catch (thrown) {
      await blobs.close();
      throw thrown;
    }
  },
};

function memberName(name: string, limits: ImageLimits): string {
  return entryComponents(name, limits).join('/');
}

async function layerOf(
  blobs: NamedBlobs,
  name: string,
  diffId: LayerSource['diffId'],
  context: ProviderContext,
): Promise<LayerSource> {
  return {
    // The format names no digest but that of the uncompressed layer.
    digest: diffId,
    diffId,
    size: await blobs.size(name),
    async *open() {
      for await (const chunk of blobs.stream(name)) {
        context.received(chunk.length);
        yield chunk;
      }
    },
  };
}
