import { z } from 'zod';

const count = z.number().int().min(0);

/** One image of Confine's published results. */
export const confineImageSchema = z.strictObject({
  /** Place in Docker Hub's list by pulls, of 2020. */
  rank: count,
  name: z.string(),
  reference: z.string(),
  official: z.boolean(),
  categories: z.array(z.string()),
  /** It started, and was still there after a while. */
  launchable: z.boolean(),
  staysRunning: z.boolean(),
  /** It worked under the profile, by Confine's own check. */
  validated: z.boolean(),
  /** Reason that it did not; empty when it did. */
  error: z.string(),
  /** Calls that the results file says are denied; 0 where there is no profile. */
  denied: count,
  /** Calls denied that Docker's default of the time allows. */
  deniedBeyondDockerDefault: count,
  /** Seconds of analysis. */
  seconds: z.number().min(0),
  /** Calls that the published profile itself denies, beyond `deniedInEvery`; absent where it was not published. */
  deniedSet: z.array(z.string()).optional(),
});
export type ConfineImage = z.infer<typeof confineImageSchema>;

/** What Confine published; `datasets/confine-published`. */
export const confinePublishedSchema = z.strictObject({
  schemaVersion: z.literal(1),
  source: z.string(),
  licence: z.string(),
  /** Number of calls that Confine counts. */
  universe: count,
  /** Calls that a published set denies or the method always allows; the rest of the universe is not published. */
  decided: z.array(z.string()),
  /** Denied in every published set. */
  deniedInEvery: z.array(z.string()),
  images: z.array(confineImageSchema),
});
export type ConfinePublished = z.infer<typeof confinePublishedSchema>;

/** Lists of calls that Confine's authors made by hand for images whose programs its method cannot read. */
export const confineHandMadeSchema = z.strictObject({
  schemaVersion: z.literal(1),
  source: z.string(),
  licence: z.string(),
  /** By the official image's name; those of images that are not official are left out. */
  images: z.array(z.strictObject({ name: z.string(), syscalls: z.array(z.string()) })),
});
export type ConfineHandMade = z.infer<typeof confineHandMadeSchema>;

/** What the original implementation was seen to allow, to check ours against; `datasets/confine-published`. */
export const confineOriginalSchema = z.strictObject({
  schemaVersion: z.literal(1),
  description: z.string(),
  /** Part by which ours may differ, 0 to 1. */
  tolerance: z.number().min(0).max(1),
  programs: z
    .array(
      z.strictObject({
        path: z.string(),
        /** Of the calls that Confine counts. */
        allowed: count,
        /** Instead of `tolerance`, with the reason in `why`. */
        within: z.number().min(0).max(1).optional(),
        why: z.string().optional(),
        note: z.string().optional(),
      }),
    )
    .min(1),
});
