import {
  type ComparisonLine,
  comparisonLines,
  type DeniedSyscall,
  type Evidence,
  x86_64Syscalls,
} from '@prof-gen/core';
import { type Reason, reasonOf } from './image-facts.js';
import type { ReportInput } from './report-input.js';

/** One call over all images; images are told by their place in the report. */
export interface CallFacts {
  readonly name: string;
  readonly number: number;
  /** Why it is dangerous, where it is. */
  readonly dangerous?: string;
  readonly allowed: readonly {
    readonly image: number;
    readonly reason: Reason;
    readonly conditional: boolean;
    readonly evidence: readonly Evidence[];
  }[];
  /** Denied although something speaks for it. */
  readonly refused: readonly { readonly image: number; readonly reason: DeniedSyscall['reason'] }[];
  /** Images in which it was traced. */
  readonly traced: number;
  /** For each line that the run has compared: the images in which it allows the call. */
  readonly lines: readonly { readonly line: ComparisonLine; readonly images: ReadonlySet<number> }[];
}

/** All calls of the table, by name. */
export function callFacts({ images, dangerous = [] }: ReportInput): readonly CallFacts[] {
  const why = new Map(dangerous.map((each) => [each.name, each.why]));
  const allowed = new Map<string, CallFacts['allowed'][number][]>();
  const refused = new Map<string, CallFacts['refused'][number][]>();
  const push = <T>(map: Map<string, T[]>, name: string, value: T) => {
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  };
  const lines = new Map(comparisonLines.map((line) => [line, new Map<string, Set<number>>()]));
  const compared = new Set<ComparisonLine>();
  images.forEach(({ document, comparison }, image) => {
    for (const { name, when, evidence } of document.syscalls) {
      push(allowed, name, {
        image,
        reason: reasonOf(evidence),
        conditional: when !== undefined,
        evidence,
      });
    }
    for (const { name, reason } of document.denied) {
      if (reason !== 'not-needed') push(refused, name, { image, reason });
    }
    for (const { line, allowed: names } of comparison?.lines ?? []) {
      compared.add(line);
      for (const name of names) {
        const calls = lines.get(line);
        const set = calls?.get(name);
        if (set === undefined) calls?.set(name, new Set([image]));
        else set.add(image);
      }
    }
  });
  return x86_64Syscalls.names
    .map((name): CallFacts => {
      const danger = why.get(name);
      const own = allowed.get(name) ?? [];
      return {
        name,
        number: x86_64Syscalls.numberOf(name) ?? -1,
        ...(danger === undefined ? {} : { dangerous: danger }),
        allowed: own,
        refused: refused.get(name) ?? [],
        traced: own.filter(({ reason }) => reason === 'both' || reason === 'traced').length,
        lines: comparisonLines
          .filter((line) => compared.has(line))
          .map((line) => ({ line, images: lines.get(line)?.get(name) ?? new Set<number>() })),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
