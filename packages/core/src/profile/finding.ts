import { z } from 'zod';

/** Something about a profile that its owner should know. */
export const findingSchema = z.object({
  /** Stable, such as `lint/missing-twin`. */
  code: z.string(),
  severity: z.enum(['error', 'warning', 'note']),
  /** Calls it is about, sorted. */
  syscalls: z.array(z.string()),
  message: z.string(),
});
export type Finding = z.infer<typeof findingSchema>;
