import type { AllowedSyscall, Profile } from '@prof-gen/core';
import { canonicalRules } from '../arguments/argument-rules.js';
import { pairedDecisions } from './syscall-decisions.js';

export interface ProfileDifference {
  /** Allowed after and not before, sorted by name. */
  readonly added: readonly AllowedSyscall[];
  /** Allowed before and not after. */
  readonly removed: readonly AllowedSyscall[];
  /** Allowed in both, for other arguments. */
  readonly rulesChanged: readonly { readonly before: AllowedSyscall; readonly after: AllowedSyscall }[];
  /** Denied in both, with another error. */
  readonly answersChanged: readonly {
    readonly name: string;
    readonly before: string;
    readonly after: string;
  }[];
}

/** What changes from `before` to `after` for a program; evidence and reasons alone are no change. */
export function diffProfiles(before: Profile, after: Profile): ProfileDifference {
  const added: AllowedSyscall[] = [];
  const removed: AllowedSyscall[] = [];
  const rulesChanged: { before: AllowedSyscall; after: AllowedSyscall }[] = [];
  const answersChanged: { name: string; before: string; after: string }[] = [];
  const plain = ({ name, when, evidence }: AllowedSyscall): AllowedSyscall =>
    when === undefined ? { name, evidence } : { name, when, evidence };
  for (const { name, left, right } of pairedDecisions(before, after)) {
    if (left.allowed && right.allowed) {
      const same = JSON.stringify(canonicalRules(left.when)) === JSON.stringify(canonicalRules(right.when));
      if (!same) rulesChanged.push({ before: plain(left), after: plain(right) });
    } else if (left.allowed) {
      removed.push(plain(left));
    } else if (right.allowed) {
      added.push(plain(right));
    } else if (left.errno !== right.errno) {
      answersChanged.push({ name, before: left.errno, after: right.errno });
    }
  }
  return { added, removed, rulesChanged, answersChanged };
}
