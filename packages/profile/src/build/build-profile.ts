import { type AllowedSyscall, type DeniedSyscall, type Profile, x86_64Syscalls } from '@prof-gen/core';
import { dockerDefaultFor } from '../docker/docker-default.js';
import type { ContainerFacts } from '../docker/evaluate-docker-profile.js';
import { boundedEvidence } from '../evidence/bounded-evidence.js';
import { libseccompNames } from '../libseccomp/libseccomp.js';
import { deniedAnswer } from './denied-answer.js';
import { type NeedsInput, syscallNeeds } from './syscall-needs.js';

export interface BuildProfileInput extends NeedsInput {
  /** Deny what Docker's default profile denies to such a container; absent: do not look at that profile. */
  readonly dockerDefault?: ContainerFacts | undefined;
  /** Version of libseccomp on the machines that the profile is for; the oldest supported one unless said. */
  readonly libseccomp?: string | undefined;
}

/**
 * The profile that allows what `input` shows a need for, and nothing else.
 *
 * - A call that Docker's default denies stays denied with Docker's own answer, and one that it allows for some
 *   arguments is allowed for those; a call that the user asked for by name (`extra`) is allowed all the same.
 * - A name that libseccomp does not know cannot be in a filter, so it is denied, unless the engine at hand was
 *   seen letting it through.
 * - Other calls are answered EPERM or ENOSYS by docs/decisions/enosys.md.
 *
 * @throws ProfGenError `usage/syscall`
 */
export function buildProfile(input: BuildProfileInput): Profile {
  const needs = syscallNeeds(input);
  const names = libseccompNames(input.libseccomp);
  const docker = input.dockerDefault && dockerDefaultFor(input.dockerDefault);
  const passed = new Set(
    input.observation?.programs.flatMap(({ syscalls }) => syscalls.map(({ number }) => number)) ?? [],
  );
  const allowed: AllowedSyscall[] = [];
  const denied: DeniedSyscall[] = [];

  for (const name of [...x86_64Syscalls.names].sort()) {
    const number = x86_64Syscalls.numberOf(name) as number;
    const evidence = boundedEvidence(needs.get(name) ?? []);
    if (evidence.length === 0) {
      denied.push({ name, errno: deniedAnswer(number, names), reason: 'not-needed', evidence });
      continue;
    }
    if (!names.knows(number) && !passed.has(number)) {
      denied.push({ name, errno: deniedAnswer(number, names), reason: 'fallback', evidence });
      continue;
    }
    if (docker === undefined || evidence.some(({ kind }) => kind === 'user')) {
      allowed.push({ name, evidence });
      continue;
    }
    if (!docker.allowed.has(name)) {
      const errno = docker.answerTo(name);
      denied.push({ name, errno, reason: errno === 'ENOSYS' ? 'fallback' : 'docker-default', evidence });
      continue;
    }
    const when = docker.allowed.get(name)?.map((all) => [...all]);
    allowed.push(when === undefined ? { name, evidence } : { name, when, evidence });
  }
  return { architecture: 'amd64', allowed, denied };
}
