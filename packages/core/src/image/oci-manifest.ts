import { z } from 'zod';
import { isDigest } from '../reference/image-reference.js';
import type { Digest } from '../tree/file-tree.js';
import { imageConfigSchema } from './image-config.js';

export const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), {
  message: 'a digest is sha256: and 64 lower-case hexadecimal digits',
});

const sizeSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const manifestPlatformSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

/** OCI image specification, descriptor.md. */
export const ociDescriptorSchema = z.object({
  mediaType: z.string().optional(),
  digest: digestSchema,
  size: sizeSchema,
  platform: manifestPlatformSchema.optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
export type OciDescriptor = z.output<typeof ociDescriptorSchema>;

/** An image manifest of the OCI image specification, or Docker's schema 2, which has the same shape. */
export const ociManifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: ociDescriptorSchema,
  layers: z.array(ociDescriptorSchema),
});
export type OciManifest = z.output<typeof ociManifestSchema>;

/** An image index of the OCI image specification, or Docker's manifest list. */
export const ociIndexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(ociDescriptorSchema),
});
export type OciIndex = z.output<typeof ociIndexSchema>;

/** `manifest.json` of what `docker save` writes (moby, image/tarexport). */
export const dockerArchiveManifestSchema = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()),
    }),
  )
  .min(1);

/** The whole config file of an image (OCI image specification, config.md). */
export const imageConfigFileSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  config: imageConfigSchema.nullish().transform((config) => config ?? imageConfigSchema.parse({})),
  rootfs: z.object({ diff_ids: z.array(digestSchema) }),
});
export type ImageConfigFile = z.output<typeof imageConfigFileSchema>;
