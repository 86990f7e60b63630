import { z } from 'zod';

/** What is known of one system call beside its number. */
export const syscallFactSchema = z.strictObject({
  name: z.string(),
  category: z.enum([
    'file',
    'directory',
    'metadata',
    'descriptor',
    'event',
    'memory',
    'process',
    'signal',
    'thread',
    'time',
    'identity',
    'network',
    'ipc',
    'mount',
    'namespace',
    'key',
    'module',
    'trace',
    'system',
    'security',
    'obsolete',
  ]),
  /** Linux version that first had it on x86-64, `MAJOR.MINOR`; absent for calls as old as the port. */
  since: z
    .string()
    .regex(/^\d+\.\d+(\.\d+)?$/)
    .optional(),
  /** Why an attacker in a container wants it; absent for ordinary calls. */
  dangerous: z.string().optional(),
});
export type SyscallFact = z.infer<typeof syscallFactSchema>;

/** Categories, dates and dangers of all calls of x86-64; `datasets/syscalls`. */
export const syscallFactsSchema = z.strictObject({
  schemaVersion: z.literal(1),
  architecture: z.literal('amd64'),
  source: z.string(),
  syscalls: z.array(syscallFactSchema),
});
export type SyscallFacts = z.infer<typeof syscallFactsSchema>;
