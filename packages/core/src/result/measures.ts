import { z } from 'zod';

/** How much of one universe of calls a profile leaves open. */
export const reductionSchema = z.object({
  /** Calls in the universe. */
  universe: z.number(),
  /** Of these, allowed by the profile, with or without conditions on arguments. */
  allowed: z.number(),
  /** Part of the universe that is denied, 0 to 1. */
  reduction: z.number(),
});
export type Reduction = z.infer<typeof reductionSchema>;

/** A profile beside Docker's default for the same container. */
export const dockerComparisonSchema = z.object({
  /** Calls that Docker's default allows, conditionally or not. */
  dockerDefault: z.number(),
  allowed: z.number(),
  /** Allowed by Docker's default and denied here, sorted. */
  removed: z.array(z.string()),
  /** Allowed here and not by Docker's default, sorted. */
  added: z.array(z.string()),
  /** Part of Docker's default that is denied, 0 to 1. */
  reduction: z.number(),
});
export type DockerComparison = z.infer<typeof dockerComparisonSchema>;

/** One image's figures, as the report shows them. Plain data. */
export const measuresSchema = z.object({
  /** All calls of the architecture's table. */
  table: reductionSchema,
  /** The calls that Confine's profiles can deny. */
  confineUniverse: reductionSchema,
  docker: dockerComparisonSchema,
  cves: z.object({
    total: z.number(),
    /** Sorted identifiers of the CVEs of which every call is denied. */
    neutralised: z.array(z.string()),
    /** The same under Docker's default alone. */
    byDockerDefault: z.array(z.string()),
  }),
  /** Dangerous calls that stay allowed, sorted. `conditional`: only for certain arguments. */
  dangerous: z.array(z.object({ name: z.string(), why: z.string(), conditional: z.boolean() })),
  /** What Confine published for the official image of this name, where it did. */
  confinePublished: z
    .object({
      image: z.string(),
      /** Of Confine's universe. */
      allowed: z.number(),
      denied: z.number(),
      validated: z.boolean(),
    })
    .optional(),
});
export type Measures = z.infer<typeof measuresSchema>;
