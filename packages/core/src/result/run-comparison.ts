import { z } from 'zod';
import { cLibrarySchema, comparisonLineSchema, seenCallSchema } from './image-comparison.js';
import { reductionSchema } from './measures.js';

/**
 * What calls are counted in:
 * - `confine`: the 326 calls that Confine counts
 * - `table`: the architecture's whole table
 * - `docker`: the whole table, after Docker's default profile has denied what it denies
 */
export const comparisonUniverses = ['confine', 'table', 'docker'] as const;
export const comparisonUniverseSchema = z.enum(comparisonUniverses);
export type ComparisonUniverse = z.infer<typeof comparisonUniverseSchema>;

const byUniverse = <T extends z.ZodType>(schema: T) =>
  z.object({ confine: schema, table: schema, docker: schema });

/** One line's figures for one image. */
export const lineMeasuresSchema = z.object({
  line: comparisonLineSchema,
  allowed: byUniverse(reductionSchema),
  /** Identifiers of CVEs of which every call is denied, sorted. */
  cves: z.array(z.string()),
  /** Dangerous calls that are allowed, with or without conditions; sorted. */
  dangerous: z.array(z.string()),
  /** Calls that are allowed for certain arguments only, sorted. */
  conditional: z.array(z.string()),
  /** Calls seen while observing that the line denies: what it would break. Absent without a trace. */
  missesTrace: z.array(seenCallSchema).optional(),
  /** Calls that the application-specific test needed and the line denies. Absent without one. */
  missesProof: z.array(seenCallSchema).optional(),
});
export type LineMeasures = z.infer<typeof lineMeasuresSchema>;

export const comparedImageSchema = z.object({
  name: z.string(),
  official: z.string().optional(),
  category: z.string(),
  language: z.string(),
  libc: cLibrarySchema,
  /** In the order of `comparisonLines`. */
  lines: z.array(lineMeasuresSchema),
  /** What Confine published for the official image of this name, years ago: another image. */
  published: z.object({ allowed: z.number(), denied: z.number(), validated: z.boolean() }).optional(),
});
export type ComparedImage = z.infer<typeof comparedImageSchema>;

/** Of some numbers. `interval` is the bootstrap's 95% interval of the mean. */
export const distributionSchema = z.object({
  count: z.number(),
  mean: z.number(),
  median: z.number(),
  lowerQuartile: z.number(),
  upperQuartile: z.number(),
  minimum: z.number(),
  maximum: z.number(),
  interval: z.object({ from: z.number(), to: z.number() }),
});
export type Distribution = z.infer<typeof distributionSchema>;

/** One line over many images. */
export const lineOverviewSchema = z.object({
  line: comparisonLineSchema,
  images: z.number(),
  /** Calls allowed, by universe. */
  allowed: byUniverse(distributionSchema),
  /**
   * How many fewer calls `prof-gen` and `needed` allow than this line, image by image: 0.4 is 40% fewer, less than 0
   * more.
   */
  reduction: z.object({
    'prof-gen': byUniverse(distributionSchema),
    needed: byUniverse(distributionSchema),
  }),
  cves: distributionSchema,
  dangerous: distributionSchema,
  /** Of the images with a trace: those of which a call that was seen is denied, and all such calls. */
  trace: z.object({ images: z.number(), broken: z.number(), calls: z.number() }),
  /** The same for application-specific tests. */
  proof: z.object({ images: z.number(), broken: z.number(), calls: z.number() }),
});
export type LineOverview = z.infer<typeof lineOverviewSchema>;

/** Images that have something in common. */
export const comparisonGroupSchema = z.object({
  by: z.enum(['all', 'category', 'language', 'libc']),
  value: z.string(),
  images: z.array(z.string()),
  lines: z.array(lineOverviewSchema),
});
export type ComparisonGroup = z.infer<typeof comparisonGroupSchema>;

/** All images of a run, all lines. Plain data, for tables, reports and claims; equal results give equal bytes. */
export const runComparisonSchema = z.object({
  schemaVersion: z.literal(1),
  dataset: z.string(),
  toolVersion: z.string(),
  analyzerVersion: z.string(),
  /** Calls in the universes, and CVEs in the list. */
  universes: byUniverse(z.number()),
  cves: z.number(),
  images: z.array(comparedImageSchema),
  /** Images of the run without a comparison, and why. */
  without: z.array(z.object({ name: z.string(), reason: z.string() })),
  /** `all` first. Empty when no image was compared. */
  groups: z.array(comparisonGroupSchema),
});
export type RunComparison = z.infer<typeof runComparisonSchema>;
