import { z } from 'zod';
import {
  linkedObjectSchema,
  programOriginSchema,
  reachabilitySchema,
  undecidedSchema,
  unresolvedSiteSchema,
} from '../analysis/analysis.js';
import { recordingSourceSchema } from '../evidence/evidence.js';
import { denialSchema, engineFactsSchema, phaseResultSchema } from '../observation/observation.js';
import { allowedSyscallSchema, deniedSyscallSchema } from '../profile/profile.js';

/**
 * - `static`: from static analysis alone
 * - `incomplete`: a reachable call site is undecided and no proof has settled it
 * - `observed`: static and traced (by Prof-gen, or by another tool whose recording was imported), not proven
 * - `proven`: the application-specific test passed under it and nothing was denied
 * - `failed`: the test failed, or a call was denied
 */
export const profileStatuses = ['static', 'incomplete', 'observed', 'proven', 'failed'] as const;
export const profileStatusSchema = z.enum(profileStatuses);
export type ProfileStatus = z.infer<typeof profileStatusSchema>;

/** A call that was observed, or denied in a proof, and is not in the static set. */
export const staticMissSchema = z.object({
  name: z.string(),
  program: z.string(),
  process: z.string(),
  phase: z.string(),
});
export type StaticMiss = z.infer<typeof staticMissSchema>;

/** The `json` output: one image's profile with all that led to it. Equal inputs give equal bytes. */
export const profileDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({
    name: z.literal('prof-gen'),
    version: z.string(),
    analyzer: z.string(),
    reachability: reachabilitySchema,
  }),
  status: profileStatusSchema,
  image: z.object({ reference: z.string(), digest: z.string(), platform: z.string() }),
  command: z.array(z.string()),
  programs: z.array(
    z.object({
      /** As the kernel has it, links followed. */
      path: z.string(),
      /** Other paths that it was started by, before links were followed; sorted. */
      calledAs: z.array(z.string()),
      sha256: z.string(),
      origin: programOriginSchema,
      objects: z.array(linkedObjectSchema),
      /** Static set of this program alone: no runtime base, no intersection with Docker's default. */
      syscalls: z.array(z.string()),
      /** Seen while it was observed, and in what was imported; empty for a static profile without. */
      traced: z.array(z.string()),
    }),
  ),
  /** What the profile allows. */
  syscalls: z.array(allowedSyscallSchema),
  unresolved: z.array(unresolvedSiteSchema),
  undecided: z.array(undecidedSchema),
  /** What the profile denies: the rest of the architecture's table, with the reason. */
  denied: z.array(deniedSyscallSchema),
  staticMisses: z.array(staticMissSchema),
  observation: z
    .object({
      method: z.string(),
      engine: engineFactsSchema,
      ioUring: z.boolean(),
      phases: z.array(phaseResultSchema),
      denials: z.array(denialSchema),
    })
    .optional(),
  /** What other tools recorded, in the order given. */
  imports: z
    .array(
      z.object({
        source: recordingSourceSchema,
        sha256: z.string(),
        /** Paths of programs that it tells of. */
        programs: z.array(z.string()),
        /** Names of all calls in it. */
        syscalls: z.array(z.string()),
        /** Calls by another ABI and names that the table lacks. */
        leftOut: z.array(z.string()),
      }),
    )
    .optional(),
  proof: z
    .object({
      status: z.enum(['passed', 'failed']),
      workload: z.string(),
      phases: z.array(phaseResultSchema),
      denials: z.array(denialSchema),
    })
    .optional(),
  stats: z.object({
    programs: z.number(),
    files: z.number(),
    /** Distinct calls: static union, traced, allowed by the profile, allowed by Docker's default for it. */
    static: z.number(),
    traced: z.number(),
    allowed: z.number(),
    dockerDefault: z.number(),
    denied: z.number(),
    /** Calls in the architecture's table. */
    table: z.number(),
  }),
});
export type ProfileDocument = z.infer<typeof profileDocumentSchema>;
