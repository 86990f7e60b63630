import type { AllowedSyscall, DeniedSyscall, Profile } from '@prof-gen/core';

/** What a profile does with one call. */
export type SyscallDecision =
  | ({ readonly allowed: true } & AllowedSyscall)
  | ({ readonly allowed: false } & DeniedSyscall);

/** A profile by name, sorted. */
export function syscallDecisions(profile: Profile): ReadonlyMap<string, SyscallDecision> {
  const all: SyscallDecision[] = [
    ...profile.allowed.map((one) => ({ allowed: true as const, ...one })),
    ...profile.denied.map((one) => ({ allowed: false as const, ...one })),
  ];
  return new Map(all.sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => [one.name, one]));
}

const reasons: readonly DeniedSyscall['reason'][] = ['not-needed', 'docker-default', 'fallback'];

/** Of two denials of one call, the answer that software copes with, and the reason that says more. */
export function bothDenied(a: DeniedSyscall, b: DeniedSyscall): Omit<DeniedSyscall, 'evidence'> {
  return {
    name: a.name,
    errno: a.errno === 'ENOSYS' || b.errno === 'ENOSYS' ? 'ENOSYS' : 'EPERM',
    reason: reasons.indexOf(a.reason) >= reasons.indexOf(b.reason) ? a.reason : b.reason,
  };
}

/** Every name that either profile has, with both decisions; a name that one lacks is denied there. */
export function pairedDecisions(
  a: Profile,
  b: Profile,
): readonly { readonly name: string; readonly left: SyscallDecision; readonly right: SyscallDecision }[] {
  const [left, right] = [syscallDecisions(a), syscallDecisions(b)];
  const lacking = (name: string): SyscallDecision => ({
    allowed: false,
    name,
    errno: 'EPERM',
    reason: 'not-needed',
    evidence: [],
  });
  return [...new Set([...left.keys(), ...right.keys()])].sort().map((name) => ({
    name,
    left: left.get(name) ?? lacking(name),
    right: right.get(name) ?? lacking(name),
  }));
}
