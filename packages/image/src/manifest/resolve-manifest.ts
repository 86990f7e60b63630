import {
  type Digest,
  type ImageConfigFile,
  imageConfigFileSchema,
  type OciDescriptor,
  type OciManifest,
  ociIndexSchema,
  ociManifestSchema,
  type Platform,
  platformMatches,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import { chooseManifest, platformMismatch, readPlatform } from './choose-manifest.js';
import { parseJson } from './parse-json.js';

/** Gives the verified bytes of a descriptor, which are at most `limit`. */
export type BlobReader = (
  descriptor: Pick<OciDescriptor, 'digest' | 'size'>,
  kind: 'manifest' | 'config',
) => Promise<Uint8Array>;

export interface ResolvedManifest {
  readonly digest: Digest;
  readonly platform: Platform;
  /** All that the index offers; without one, `platform` alone. */
  readonly platforms: readonly Platform[];
  readonly manifest: OciManifest;
  readonly configFile: ImageConfigFile;
  readonly configBytes: Uint8Array;
}

/** An index may point to an index; nobody nests deeper than this in earnest. */
const maxNesting = 4;

/**
 * From the bytes of a manifest or index to the manifest and config for `wanted`.
 * @throws ProfGenError `image/platform-mismatch`, `image/bad-manifest`, `image/unsupported-manifest`
 */
export async function resolveManifest(
  first: { readonly digest: Digest; readonly bytes: Uint8Array },
  wanted: Platform,
  limits: ImageLimits,
  read: BlobReader,
): Promise<ResolvedManifest> {
  let { digest, bytes } = first;
  let platforms: readonly Platform[] | undefined;
  for (let depth = 0; depth < maxNesting; depth += 1) {
    const shape = manifestShape(bytes);
    if (shape === 'manifest') {
      const manifest = parseJson(ociManifestSchema, bytes, 'the manifest');
      const config = await readConfig(manifest, wanted, limits, read);
      return { digest, manifest, platforms: platforms ?? [config.platform], ...config };
    }
    const index = parseJson(ociIndexSchema, bytes, 'the image index');
    platforms ??= index.manifests.flatMap(({ platform }) =>
      platform === undefined ? [] : (readPlatform(platform) ?? []),
    );
    const chosen = chooseManifest(index.manifests, wanted);
    digest = chosen.digest;
    bytes = await read(chosen, 'manifest');
  }
  throw new ProfGenError('image/bad-manifest', 'the image index is nested too deeply');
}

/** By content, since media types are missing or wrong in practice. */
function manifestShape(bytes: Uint8Array): 'manifest' | 'index' {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'manifest';
  }
  if (typeof value !== 'object' || value === null) return 'manifest';
  if ('schemaVersion' in value && value.schemaVersion === 1) {
    throw new ProfGenError(
      'image/unsupported-manifest',
      'the image has a manifest of schema 1, given up by all engines',
      {
        hint: 'push the image again with a current engine',
      },
    );
  }
  return 'manifests' in value && !('config' in value) ? 'index' : 'manifest';
}

async function readConfig(
  manifest: OciManifest,
  wanted: Platform,
  limits: ImageLimits,
  read: BlobReader,
): Promise<Omit<ResolvedManifest, 'digest' | 'manifest' | 'platforms'>> {
  const mediaType = manifest.config.mediaType ?? '';
  if (mediaType !== '' && !/(?:oci|docker)\..*image.*\+json$/.test(mediaType)) {
    throw new ProfGenError(
      'image/not-an-image',
      `the reference names an artifact, not an image: ${printable(mediaType)}`,
      {
        hint: 'name a container image',
      },
    );
  }
  if (manifest.layers.length > limits.layers) throw overLimit('layers', limits.layers, 'layers');
  const configBytes = await read(manifest.config, 'config');
  const configFile = parseConfigFile(configBytes, manifest.layers.length);
  return { platform: checkedPlatform(configFile, wanted), configFile, configBytes };
}

/** @throws ProfGenError `image/bad-manifest` */
export function parseConfigFile(bytes: Uint8Array, layerCount: number): ImageConfigFile {
  const configFile = parseJson(imageConfigFileSchema, bytes, "the image's config");
  const { length } = configFile.rootfs.diff_ids;
  if (length !== layerCount) {
    throw new ProfGenError(
      'image/bad-manifest',
      `the config names ${length} layers, the manifest ${layerCount}`,
      {
        hint: 'the image is damaged: pull or build it again',
      },
    );
  }
  return configFile;
}

/** @throws ProfGenError `image/platform-mismatch` */
export function checkedPlatform(
  raw: { os: string; architecture: string; variant?: string | undefined },
  wanted: Platform,
): Platform {
  const platform = readPlatform(raw);
  if (platform === undefined || !platformMatches(wanted, platform)) {
    throw platformMismatch(wanted, [[raw.os, raw.architecture, raw.variant].filter(Boolean).join('/')]);
  }
  return platform;
}
