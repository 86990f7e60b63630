import { z } from 'zod';

const absolutePath = z.string().regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))/, 'an absolute path without ..');

/** A workload of the soundness check: what is run in the root file system of `datasets/soundness` and recorded. */
export const soundnessCaseSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  /**
   * Programs that the workload is for, links followed, with the fewest distinct system calls that it must draw from
   * each: a workload that did not really run fails instead of passing. Others that it runs are checked as well.
   */
  programs: z.record(absolutePath, z.number().int().min(1)),
  /** For bash, as root in an empty network; what it leaves running is ended. */
  run: z.string(),
  /** Seconds; it is ended then, and fails. */
  timeout: z.number().positive().max(600).default(300),
});
export type SoundnessCase = z.infer<typeof soundnessCaseSchema>;

/** `datasets/soundness/cases/*.yaml`. */
export const soundnessCasesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  description: z.string(),
  cases: z.array(soundnessCaseSchema).min(1),
});

/** `datasets/soundness/sizes.yaml`: how many distinct calls static analysis may allow a program. */
export const sizeBoundsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  description: z.string(),
  programs: z
    .array(
      z.strictObject({
        path: absolutePath,
        atMost: z.number().int().min(1),
        note: z.string().optional(),
      }),
    )
    .min(1),
});
export type SizeBounds = z.infer<typeof sizeBoundsSchema>;
