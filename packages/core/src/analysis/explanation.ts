import { z } from 'zod';
import { chainSchema } from '../evidence/evidence.js';
import { reachabilitySchema } from './analysis.js';

/** What `prof-gen explain --json` writes: why programs can make calls. Equal inputs give equal bytes. */
export const explanationSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.object({
    name: z.literal('prof-gen'),
    version: z.string(),
    analyzer: z.string(),
    reachability: reachabilitySchema,
  }),
  image: z.object({ reference: z.string(), digest: z.string(), platform: z.string() }),
  command: z.array(z.string()),
  /** Paths of the programs that were asked. */
  programs: z.array(z.string()),
  calls: z.array(
    z.object({
      name: z.string(),
      number: z.number(),
      /** Programs that can make it, with the shortest way to each of the nearest sites. */
      programs: z.array(z.object({ program: z.string(), chains: z.array(chainSchema) })),
      /** Reasons to allow it that lie in no program: the container runtime, the kernel. */
      others: z.array(z.string()),
    }),
  ),
  /** Reachable sites whose number is not decided; only where they were asked for. */
  unresolved: z
    .array(
      z.object({
        program: z.string(),
        sites: z.array(chainSchema.extend({ reason: z.string() })),
      }),
    )
    .optional(),
});
export type Explanation = z.infer<typeof explanationSchema>;
