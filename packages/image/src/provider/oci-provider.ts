import { resolve } from 'node:path';
import { type OciDescriptor, ociIndexSchema, ProfGenError, printable } from '@prof-gen/core';
import { overLimit } from '../limits/image-limits.js';
import { parseJson } from '../manifest/parse-json.js';
import { resolveManifest } from '../manifest/resolve-manifest.js';
import { sha256, verified, verifiedBytes } from '../stream/verified.js';
import type { ImageProvider, LayerSource, ProvidedImage, ProviderContext } from './image-provider.js';
import { archiveBlobs, directoryBlobs, type NamedBlobs } from './named-blobs.js';

/** An OCI image layout in a directory (OCI image specification, image-layout.md). */
export const ociProvider: ImageProvider<'oci'> = {
  scheme: 'oci',
  open({ directory, tag }, context) {
    const path = resolve(directory);
    const resolved = tag === undefined ? `oci:${path}` : `oci:${path}:${tag}`;
    return openLayout(directoryBlobs(path, context.limits), resolved, tag, context);
  },
};

/** The same layout in a tar archive. */
export const ociArchiveProvider: ImageProvider<'oci-archive'> = {
  scheme: 'oci-archive',
  async open({ file }, context) {
    const path = resolve(file);
    const blobs = await archiveBlobs(path, context.cache, context.limits);
    try {
      return await openLayout(blobs, `oci-archive:${path}`, undefined, context);
    } catch (thrown) {
      await blobs.close();
      throw thrown;
    }
  },
};

function blobName(digest: OciDescriptor['digest']): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

async function openLayout(
  blobs: NamedBlobs,
  resolved: string,
  tag: string | undefined,
  context: ProviderContext,
): Promise<ProvidedImage> {
  const { limits } = context;
  const read = async (
    descriptor: Pick<OciDescriptor, 'digest' | 'size'>,
    kind: 'manifest' | 'config',
  ): Promise<Uint8Array> => {
    const limit = kind === 'manifest' ? 'manifestBytes' : 'configBytes';
    if (descriptor.size > limits[limit]) throw overLimit(limit, limits[limit], `bytes of the ${kind}`);
    return verifiedBytes(await blobs.bytes(blobName(descriptor.digest), limit), descriptor.digest);
  };

  const indexBytes = await blobs.bytes('index.json', 'manifestBytes');
  const index = parseJson(ociIndexSchema, indexBytes, 'index.json');
  const manifests = tagged(index.manifests, tag, resolved);
  const only = manifests.length === 1 ? manifests[0] : undefined;
  // One entry decides alone, whatever platform it names: the config is checked in any case.
  const first =
    only === undefined
      ? {
          digest: sha256(indexBytes),
          bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })),
        }
      : { digest: only.digest, bytes: await read(only, 'manifest') };
  const image = await resolveManifest(first, context.platform, limits, read);
  const layers = image.manifest.layers.map((descriptor, i): LayerSource => {
    const { digest, size } = descriptor;
    return {
      digest,
      size,
      diffId: image.configFile.rootfs.diff_ids[i] ?? digest,
      async *open() {
        for await (const chunk of verified(blobs.stream(blobName(digest)), descriptor)) {
          context.received(chunk.length);
          yield chunk;
        }
      },
    };
  });
  return {
    resolved,
    digest: image.digest,
    platform: image.platform,
    config: image.configFile.config,
    configBytes: image.configBytes,
    content: { type: 'layers', layers },
    close: () => blobs.close(),
  };
}

/** The names under which tools store a tag: the specification's, and containerd's complete name. */
function tagsOf({ annotations }: OciDescriptor): readonly string[] {
  const reference = annotations?.['org.opencontainers.image.ref.name'];
  const name = annotations?.['io.containerd.image.name'];
  return [...(reference === undefined ? [] : [reference]), ...(name === undefined ? [] : [name])];
}

function tagged(
  manifests: readonly OciDescriptor[],
  tag: string | undefined,
  where: string,
): readonly OciDescriptor[] {
  if (manifests.length === 0) {
    throw new ProfGenError('image/not-found', `${printable(where)} has no image in it`, {
      hint: 'the layout is empty',
    });
  }
  const all = [...new Set(manifests.flatMap(tagsOf))];
  if (tag === undefined) {
    if (all.length > 1) {
      throw new ProfGenError(
        'image/ambiguous',
        `${printable(where)} has several images: ${printable(all.join(', '))}`,
        {
          hint: 'say which: oci:DIR:TAG',
        },
      );
    }
    return manifests;
  }
  const found = manifests.filter((manifest) =>
    tagsOf(manifest).some((name) => name === tag || name.endsWith(`:${tag}`)),
  );
  if (found.length > 0) return found;
  throw new ProfGenError('image/not-found', `${printable(where)}: no such tag`, {
    hint:
      all.length > 0 ? `it has: ${printable(all.join(', '))}` : 'its images have no tags: leave the tag out',
  });
}
