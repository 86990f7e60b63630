import { z } from 'zod';

/** Actions that Docker's profiles use (libseccomp's names). */
export const seccompActionSchema = z.enum([
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_NOTIFY',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
]);
export type SeccompAction = z.infer<typeof seccompActionSchema>;

export const seccompOperators = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

/** Arguments are 64 bits wide; beyond 2^53 a JSON number would silently become another one, so it is refused. */
const argumentValue = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const dockerArgumentSchema = z.object({
  index: z.number().int().min(0).max(5),
  /** For SCMP_CMP_MASKED_EQ this is the mask, and `valueTwo` what the masked argument is compared with. */
  value: argumentValue,
  valueTwo: argumentValue.optional(),
  op: z.enum(seccompOperators),
});
export type DockerArgument = z.infer<typeof dockerArgumentSchema>;

const listOfNames = z.array(z.string()).nullish();

export const dockerFilterSchema = z.object({
  caps: listOfNames,
  arches: listOfNames,
  /** `MAJOR.MINOR` of the oldest kernel that the rule is for. */
  minKernel: z.string().optional(),
});

export const dockerRuleSchema = z.object({
  names: z.array(z.string()),
  action: seccompActionSchema,
  errnoRet: z.number().int().min(0).max(4095).optional(),
  args: z.array(dockerArgumentSchema).nullish(),
  comment: z.string().optional(),
  /** All of these must hold for the rule to be used. */
  includes: dockerFilterSchema.optional(),
  /** Any of these keeps the rule from being used. */
  excludes: dockerFilterSchema.optional(),
});
export type DockerRule = z.infer<typeof dockerRuleSchema>;

/**
 * A seccomp profile as Docker and Podman read it.
 *
 * Source: moby/profiles `seccomp/seccomp.go` (type Seccomp) and the OCI runtime specification, section
 * "Seccomp", of which it is a superset: `archMap`, `includes` and `excludes` are Docker's own.
 */
export const dockerProfileSchema = z
  .object({
    defaultAction: seccompActionSchema,
    defaultErrnoRet: z.number().int().min(0).max(4095).optional(),
    architectures: z.array(z.string()).optional(),
    archMap: z
      .array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() }))
      .optional(),
    flags: z.array(z.string()).optional(),
    syscalls: z.array(dockerRuleSchema),
  })
  .refine((profile) => !(profile.architectures?.length && profile.archMap?.length), {
    error: 'architectures and archMap exclude each other',
  });
export type DockerProfile = z.infer<typeof dockerProfileSchema>;
