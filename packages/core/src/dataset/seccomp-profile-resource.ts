import { z } from 'zod';
import { dockerRuleSchema, seccompActionSchema } from '../profile/docker-profile.js';

/**
 * What the security-profiles-operator keeps a recording as, as far as it is read here: a resource of Kubernetes
 * (its api/seccompprofile/v1beta1/seccompprofile_types.go).
 */
export const seccompProfileResourceSchema = z.object({
  apiVersion: z.string().startsWith('security-profiles-operator.x-k8s.io/'),
  kind: z.literal('SeccompProfile'),
  spec: z.object({
    defaultAction: seccompActionSchema,
    architectures: z.array(z.string()).optional(),
    /** A profile that is allowed besides, which the recording does not hold. */
    baseProfileName: z.string().optional(),
    syscalls: z.array(dockerRuleSchema).optional(),
  }),
});
export type SeccompProfileResource = z.infer<typeof seccompProfileResourceSchema>;
