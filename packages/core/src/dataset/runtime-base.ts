import { z } from 'zod';

/** Calls that one version of a container runtime makes between loading the filter and executing the program. */
export const runtimeBaseSchema = z.strictObject({
  /** Name of the binary, such as `runc`. */
  runtime: z.string(),
  version: z.string(),
  /** Where the list is from, and how it was found. */
  source: z.string(),
  /** Sorted names. */
  syscalls: z.array(z.string()).min(1),
});
export type RuntimeBase = z.infer<typeof runtimeBaseSchema>;
