import {
  type DockerProfile,
  type DockerRule,
  type Profile,
  ProfGenError,
  x86_64Syscalls,
} from '@prof-gen/core';
import { expressible } from '../arguments/argument-rules.js';
import { libseccompNames } from '../libseccomp/libseccomp.js';
import { argumentOf } from './argument-condition.js';
import { formatDockerProfile } from './parse-docker-profile.js';

/**
 * The profile in the form that Docker and Podman read.
 *
 * Only x86-64 is named: 32-bit and x32 calls are killed by the filter, as nothing of theirs was analysed.
 * ENOSYS is written rule by rule, since engine 20.10 ignores `defaultErrnoRet`; above the highest number named here
 * the runtime gives that answer by itself, so names that libseccomp may not know are not needed for it.
 *
 * @throws ProfGenError `profile/argument-rule`, `profile/argument-value`
 */
export function toDockerProfile(profile: Profile): DockerProfile {
  const numberOf = (name: string) => x86_64Syscalls.numberOf(name) ?? 0;
  const anyArguments = profile.allowed.filter(({ when }) => when === undefined);
  const rules: DockerRule[] = [{ names: anyArguments.map(({ name }) => name), action: 'SCMP_ACT_ALLOW' }];
  for (const { name, when } of profile.allowed) {
    if (!expressible(when)) {
      throw new ProfGenError('profile/argument-rule', `a rule for ${name} compares one argument twice`, {
        hint: 'seccomp compares each argument once in a rule; give single values or one bound',
      });
    }
    for (const all of when ?? []) {
      rules.push({ names: [name], action: 'SCMP_ACT_ALLOW', args: all.map(argumentOf) });
    }
  }
  const highest = Math.max(libseccompNames().highest, ...profile.allowed.map(({ name }) => numberOf(name)));
  const missing = profile.denied.filter(({ name, errno }) => errno === 'ENOSYS' && numberOf(name) <= highest);
  if (missing.length > 0) {
    rules.push({ names: missing.map(({ name }) => name), action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: rules,
  };
}

/** Text of the Docker profile; equal profiles give equal bytes. Errors as for toDockerProfile. */
export function renderDockerProfile(profile: Profile): string {
  return formatDockerProfile(toDockerProfile(profile));
}
