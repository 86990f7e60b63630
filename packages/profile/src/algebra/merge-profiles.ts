import type { Profile } from '@prof-gen/core';
import { eitherRules } from '../arguments/argument-rules.js';
import { boundedEvidence } from '../evidence/bounded-evidence.js';
import { bothDenied, pairedDecisions } from './syscall-decisions.js';

/** Allows what either allows: for profiles of several runs or replicas. Commutative, associative, idempotent. */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  const merged: Profile = { architecture: 'amd64', allowed: [], denied: [] };
  for (const { name, left, right } of pairedDecisions(a, b)) {
    const evidence = boundedEvidence([...left.evidence, ...right.evidence]);
    if (!left.allowed && !right.allowed) {
      merged.denied.push({ ...bothDenied(left, right), evidence });
      continue;
    }
    const never: [] = [];
    const when = eitherRules(left.allowed ? left.when : never, right.allowed ? right.when : never);
    merged.allowed.push(when === undefined ? { name, evidence } : { name, when, evidence });
  }
  return merged;
}
