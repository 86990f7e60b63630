import { z } from 'zod';
import { digestSchema } from '../image/oci-manifest.js';

const packagesSchema = z.record(z.string(), z.string());

/**
 * What the images of a corpus were built from, `corpus.lock.json` beside its index: with it an evaluation can say, and
 * another can check, that both had the same files.
 */
export const corpusLockSchema = z.strictObject({
  schemaVersion: z.literal(1),
  suites: z.record(
    z.string(),
    z.strictObject({
      /** SHA-256 of all that decides how the base is made, package versions excepted. */
      key: z.string(),
      layer: digestSchema,
      size: z.number(),
      /** Debian packages, and their versions. */
      packages: packagesSchema,
    }),
  ),
  images: z.record(
    z.string(),
    z.strictObject({
      /** SHA-256 of builder, recipe and base. */
      key: z.string(),
      suite: z.string(),
      base: digestSchema,
      layer: digestSchema,
      size: z.number(),
      manifest: digestSchema,
      /** Those that the base does not have in that version. */
      packages: packagesSchema,
    }),
  ),
});
export type CorpusLock = z.output<typeof corpusLockSchema>;
