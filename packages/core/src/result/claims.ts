import { z } from 'zod';
import { comparisonUniverseSchema } from './run-comparison.js';

const byUniverse = <T extends z.ZodType>(schema: T) =>
  z.object({ confine: schema, table: schema, docker: schema });

/** A claim of the paper beside what a run gives. */
export const claimSchema = z.object({
  claim: z.string(),
  /** As the paper has it; empty where it says nothing. */
  paper: z.string(),
  ours: z.string(),
  /** Which command gives the figure. */
  command: z.string(),
});
export type Claim = z.infer<typeof claimSchema>;

/**
 * Why a call that our profile allows stays allowed; the first that fits counts.
 * - `observed`: it was seen being made while the container was observed
 * - `tested`: it was seen in the application-specific test, and static analysis had found it
 * - `runtime`: the container runtime makes it after the filter is on
 * - `code`: static analysis reaches it, and nobody has seen it being made
 * - `other`: the kernel, a user, or a call that a proof has taught
 */
export const keptReasons = ['observed', 'tested', 'runtime', 'code', 'other'] as const;
export const keptReasonSchema = z.enum(keptReasons);
export type KeptReason = z.infer<typeof keptReasonSchema>;

/** Calls are counted once an image. */
const countedCallsSchema = z.object({
  count: z.number(),
  /** The most frequent first, then by name. */
  calls: z.array(z.object({ name: z.string(), images: z.number() })),
});
export type CountedCalls = z.infer<typeof countedCallsSchema>;

/** What keeps a reduction from being larger, counted over all compared images in Confine's universe. */
export const heldBackSchema = z.object({
  /** The reduction that is aimed at, in percent, and whether the mean reaches it. */
  target: z.number(),
  reached: z.boolean(),
  /** Images counted. */
  images: z.number(),
  /** Calls that the lines allow, of all images together. */
  ours: z.number(),
  theirs: z.number(),
  /** Calls of ours by reason: those that Confine's method allows too, and those that it denies. */
  reasons: z.array(
    z.object({ reason: keptReasonSchema, both: countedCallsSchema, oursAlone: countedCallsSchema }),
  ),
  /** Of the universe, calls that no published profile ever denied: they count as allowed, to both. */
  undeniable: z.number(),
  /** Calls that Docker's default denies: those that we found a need for, and those that Confine's method allows. */
  dockerDefault: z.object({ ours: countedCallsSchema, theirs: countedCallsSchema }),
});
export type HeldBack = z.infer<typeof heldBackSchema>;

/** `claims.json`: the figures of a run that the paper makes claims about. Shares are percentages. */
export const claimsSchema = z.object({
  schemaVersion: z.literal(1),
  dataset: z.string(),
  toolVersion: z.string(),
  analyzerVersion: z.string(),
  /** Does all of it again. */
  command: z.string(),
  /** Images that the dataset has, and those of them that were compared. */
  images: z.number(),
  compared: z.number(),
  /** Images whose application-specific test passed under the profile with no call denied, and as a percentage. */
  proofsPassed: z.number(),
  proofsPassedShare: z.number(),
  /** Calls that were seen, or denied, and that static analysis lacks. */
  staticMisses: z.number(),
  /** Fewer calls allowed than by Confine's method, image by image. Absent where nothing was compared. */
  reductionMean: byUniverse(z.number()).optional(),
  reductionMedian: byUniverse(z.number()).optional(),
  /** Of the mean, 95%, by bootstrap. */
  reductionInterval: byUniverse(z.object({ from: z.number(), to: z.number() })).optional(),
  /** The universe that the paper's figure is compared in. */
  universe: comparisonUniverseSchema,
  claims: z.array(claimSchema),
  heldBack: heldBackSchema.optional(),
});
export type Claims = z.infer<typeof claimsSchema>;
