import { dockerProfileSchema, x86_64Syscalls } from '@prof-gen/core';

/**
 * Calls that Docker's default profile, in any of its versions, answers by their arguments
 * (moby, profiles/seccomp/default.json).
 */
const byDefault = ['clone', 'personality', 'socket'];

/** Takes no arguments, and comes back with the registers of what a signal has interrupted. */
const withoutArguments = 'rt_sigreturn';

/** Numbers, in the table of x86-64, of the calls that a filter may answer by more than their number. */
export function judgedCalls(seccomp: string | undefined): ReadonlySet<number> {
  const names = namesOf(seccomp).filter((name) => name !== withoutArguments);
  return new Set(names.flatMap((name) => x86_64Syscalls.numberOf(name) ?? []));
}

function namesOf(seccomp: string | undefined): readonly string[] {
  if (seccomp === undefined) return byDefault;
  const profile = dockerProfileSchema.safeParse(parsed(seccomp));
  // What is not understood here may hold any rule.
  if (!profile.success) return x86_64Syscalls.names;
  return profile.data.syscalls.flatMap(({ names, args }) => ((args?.length ?? 0) > 0 ? names : []));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
