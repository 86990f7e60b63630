import type { Evidence } from '@prof-gen/core';

const kinds: readonly Evidence['kind'][] = ['kernel', 'runtime-base', 'static', 'traced', 'learned', 'user'];

/** At most this many reasons of one kind and program are kept for a call: enough to check it by hand. */
const evidencePerProgram = 3;

/** Most reasons kept for one call. */
const evidencePerCall = 48;

/** Sorts by kind, program, and then the rest; the parts are joined by a character that no path shows. */
function key(evidence: Evidence): string {
  const kind = String(kinds.indexOf(evidence.kind));
  const program = 'program' in evidence ? evidence.program : '';
  const rest = Object.entries(evidence)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return [kind, program, ...rest].join('\0');
}

/**
 * The same reasons without repetition, in one order, a few for each program.
 * As the order goes by program first, bounding two lists and then their union
 * gives what bounding the union gives: merging profiles stays associative.
 */
export function boundedEvidence(evidence: readonly Evidence[]): Evidence[] {
  const byKey = new Map(evidence.map((one) => [key(one), one]));
  const kept: Evidence[] = [];
  let group = '';
  let inGroup = 0;
  for (const [, one] of [...byKey].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const thisGroup = `${one.kind}\0${'program' in one ? one.program : ''}`;
    inGroup = thisGroup === group ? inGroup + 1 : 1;
    group = thisGroup;
    if (inGroup <= evidencePerProgram) kept.push(one);
    if (kept.length === evidencePerCall) break;
  }
  return kept;
}
