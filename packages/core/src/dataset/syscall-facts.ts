import { z } from 'zod';

/** A call that widens what an attacker in a container can reach; `why` says how. */
export const dangerousSyscallSchema = z.strictObject({ name: z.string(), why: z.string() });

/** What is known of calls beside their numbers; `datasets/syscalls`. */
export const syscallFactsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  architecture: z.literal('amd64'),
  source: z.string(),
  /** Sorted by name. */
  dangerous: z.array(dangerousSyscallSchema),
});
export type SyscallFacts = z.infer<typeof syscallFactsSchema>;
