import { z } from 'zod';
import { evidenceSchema } from '../evidence/evidence.js';

/** Comparison of one argument, as seccomp does it (seccomp_rule_add(3)). Values are unsigned 64-bit, decimal. */
export const argumentConditionSchema = z.object({
  index: z.number().int().min(0).max(5),
  op: z.enum(['eq', 'ne', 'lt', 'le', 'ge', 'gt', 'masked-eq']),
  value: z.string(),
  /** For `masked-eq`: the mask; `value` is compared with argument & mask. */
  mask: z.string().optional(),
});
export type ArgumentCondition = z.infer<typeof argumentConditionSchema>;

export const allowedSyscallSchema = z.object({
  name: z.string(),
  /** Alternatives; each is a conjunction. Absent: any arguments. */
  when: z.array(z.array(argumentConditionSchema)).optional(),
  evidence: z.array(evidenceSchema),
});
export type AllowedSyscall = z.infer<typeof allowedSyscallSchema>;

export const deniedSyscallSchema = z.object({
  name: z.string(),
  errno: z.enum(['EPERM', 'ENOSYS']),
  reason: z.enum([
    /** Nothing shows a need for it. */
    'not-needed',
    /** Something does (see evidence), but Docker's default denies it to this container anyway. */
    'docker-default',
    /** The image's libc may try it and falls back only when it does not exist. */
    'fallback',
  ]),
  evidence: z.array(evidenceSchema),
});
export type DeniedSyscall = z.infer<typeof deniedSyscallSchema>;

/** What a seccomp filter allows, and why. Every call of the architecture's table stands in one of the two lists. */
export const profileSchema = z.object({
  architecture: z.literal('amd64'),
  /** Sorted by name. */
  allowed: z.array(allowedSyscallSchema),
  /** Sorted by name. */
  denied: z.array(deniedSyscallSchema),
});
export type Profile = z.infer<typeof profileSchema>;
