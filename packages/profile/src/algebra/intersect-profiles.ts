import type { Profile } from '@prof-gen/core';
import { bothRules } from '../arguments/argument-rules.js';
import { boundedEvidence } from '../evidence/bounded-evidence.js';
import { bothDenied, pairedDecisions } from './syscall-decisions.js';

/** Allows what both allow, for the arguments that both allow. A denial keeps the reason of the side that denies. */
export function intersectProfiles(a: Profile, b: Profile): Profile {
  const common: Profile = { architecture: 'amd64', allowed: [], denied: [] };
  for (const { name, left, right } of pairedDecisions(a, b)) {
    if (left.allowed && right.allowed) {
      const evidence = boundedEvidence([...left.evidence, ...right.evidence]);
      const when = bothRules(left.when, right.when);
      if (when === undefined) common.allowed.push({ name, evidence });
      else if (when.length > 0) common.allowed.push({ name, when, evidence });
      else common.denied.push({ name, errno: 'EPERM', reason: 'not-needed', evidence });
    } else if (!left.allowed && !right.allowed) {
      const evidence = boundedEvidence([...left.evidence, ...right.evidence]);
      common.denied.push({ ...bothDenied(left, right), evidence });
    } else {
      const { errno, reason, evidence } = (left.allowed ? right : left) as Extract<
        typeof left,
        { allowed: false }
      >;
      common.denied.push({ name, errno, reason, evidence: boundedEvidence(evidence) });
    }
  }
  return common;
}
