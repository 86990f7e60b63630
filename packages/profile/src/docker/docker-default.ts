import { type DockerProfile, dockerProfileSchema, validated, x86_64Syscalls } from '@prof-gen/core';
import data from '../data/moby-default.json' with { type: 'json' };
import type { ArgumentRules } from '../arguments/argument-rules.js';
import { type ContainerFacts, evaluateDockerProfile } from './evaluate-docker-profile.js';

/** Capabilities of a container that asked for nothing. Source: moby `oci/caps/defaults.go`. */
export const defaultCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** What Docker's default profile does with the calls of x86-64 for one container. */
export interface DockerDefault {
  readonly allowed: ReadonlyMap<string, ArgumentRules>;
  readonly answerTo: (name: string) => 'EPERM' | 'ENOSYS';
}

let profile: DockerProfile | undefined;

/** Docker's default profile of 2026-06 as moby publishes it (`data/README.md`). */
export function mobyDefaultProfile(): DockerProfile {
  profile ??= validated(dockerProfileSchema, data, "moby's default profile", 'internal/moby-default');
  return profile;
}

export function dockerDefaultFor(facts: ContainerFacts): DockerDefault {
  const { allowed, errors } = evaluateDockerProfile(mobyDefaultProfile(), facts);
  const numbers = [...allowed.keys(), ...errors.keys()].map((name) => x86_64Syscalls.numberOf(name) ?? 0);
  const highest = Math.max(...numbers);
  return {
    allowed: new Map([...allowed].filter(([name]) => x86_64Syscalls.numberOf(name) !== undefined)),
    // The runtime answers ENOSYS above the highest number that the profile names (runc, patchbpf).
    answerTo: (name) =>
      errors.get(name) === 38 || (x86_64Syscalls.numberOf(name) ?? 0) > highest ? 'ENOSYS' : 'EPERM',
  };
}

/** Names that Docker's default profile allows to the container, for some arguments at least. */
export function dockerDefaultAllows(facts: ContainerFacts): ReadonlySet<string> {
  return new Set(dockerDefaultFor(facts).allowed.keys());
}
