import { type Claims, comparisonUniverses, type CountedCalls, type HeldBack } from '@prof-gen/core';
import { textTable } from './text-table.js';

/** Calls named a reason; `claims.json` has all. */
const most = 8;

/** The paper's claims beside ours, the reduction in every universe, and what keeps it back where it does. */
export function claimsText({
  claims,
  reductionMean,
  reductionMedian,
  reductionInterval,
  staticMisses,
  heldBack,
}: Claims): string {
  const parts = [
    textTable(
      ['claim', 'paper', 'ours', 'command'],
      claims.map(({ claim, paper, ours, command }) => [claim, paper, ours, command]),
    ),
    `static misses: ${staticMisses}\n`,
  ];
  if (reductionMean !== undefined && reductionMedian !== undefined && reductionInterval !== undefined) {
    parts.push(
      textTable(
        ["fewer calls than Confine's method", 'mean', '95% interval', 'median'],
        comparisonUniverses.map((universe) => {
          const { from, to } = reductionInterval[universe];
          return [
            `in universe ${universe}`,
            `${reductionMean[universe].toFixed(1)}%`,
            `${from.toFixed(1)}% to ${to.toFixed(1)}%`,
            `${reductionMedian[universe].toFixed(1)}%`,
          ];
        }),
      ),
    );
  }
  if (heldBack !== undefined && !heldBack.reached) parts.push(heldBackText(heldBack));
  return parts.join('\n');
}

function heldBackText({
  target,
  images,
  ours,
  theirs,
  reasons,
  undeniable,
  dockerDefault,
}: HeldBack): string {
  const each = (count: number) => (count / images).toFixed(1);
  const row = (why: string, { count, calls }: CountedCalls) => [
    why,
    String(count),
    each(count),
    calls
      .slice(0, most)
      .map(({ name }) => name)
      .join(' '),
  ];
  return `${target}% is not reached: of Confine's calls ours allows ${each(ours)} an image and its method ${each(theirs)}. What keeps them:\n\n${textTable(
    ['calls that ours allows', 'all images', 'an image', 'most frequent'],
    [
      ...reasons.flatMap(({ reason, both, oursAlone }) => [
        row(`${reason}, allowed by both`, both),
        row(`${reason}, denied by Confine's method`, oursAlone),
      ]),
      ['never denied by anybody', String(undeniable * images), String(undeniable), ''],
      row("not kept: needed, Docker's default denies it", dockerDefault.ours),
      row("not kept: Confine's alone, Docker's default denies it", dockerDefault.theirs),
    ],
  )}`;
}
