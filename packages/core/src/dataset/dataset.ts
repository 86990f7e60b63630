import { z } from 'zod';

/** One image of a dataset: where it is, and what to run. */
export const datasetImageSchema = z.strictObject({
  /** Unique in the dataset; names files and database rows. */
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  /** Any reference that the image package understands. */
  reference: z.string(),
  /** Official image it stands for, with tag. */
  official: z.string().optional(),
  category: z.string().optional(),
  /** Overrides of what the image's config says. */
  entrypoint: z.array(z.string()).optional(),
  cmd: z.array(z.string()).optional(),
  env: z.array(z.string()).optional(),
  /** Workload file for the proof, relative to the dataset's file. */
  workload: z.string().optional(),
});
export type DatasetImage = z.infer<typeof datasetImageSchema>;

export const datasetSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z.string(),
    description: z.string(),
    /** Dataset files whose images come first, relative to this file. They include no others. */
    includes: z.array(z.string()).optional(),
    images: z.array(datasetImageSchema).default([]),
  })
  .refine(({ includes, images }) => images.length > 0 || (includes ?? []).length > 0, {
    error: 'no images',
  });
export type Dataset = z.infer<typeof datasetSchema>;
