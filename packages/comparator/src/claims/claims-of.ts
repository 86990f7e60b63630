import {
  type Claims,
  type ComparisonUniverse,
  comparisonUniverses,
  type Distribution,
  type ImageComparison,
  type ProfileDocument,
  type RunComparison,
} from '@prof-gen/core';
import { dockerDefaultAllows } from '@prof-gen/profile';
import type { CompareRunInput } from '../compare/compare-run.js';
import { heldBack } from './held-back.js';

/** What the paper found (Kim, Kim, Lee: "Prof-gen", IEEE CLOUD 2021), in percent where a share. */
const paper = { images: 120, reduction: 20.2 } as const;
/** Reduction against Confine's method that Prof-gen aims at, in percent. */
const target = 35;
/** The paper counts in the calls that Confine counts. */
const universe: ComparisonUniverse = 'confine';

/** Command lines behind the figures, as people type them. */
export interface ClaimCommands {
  /** Does everything. */
  readonly all: string;
  readonly run: string;
  readonly compare: string;
}

export interface ClaimsInput {
  readonly run: Pick<Claims, 'dataset' | 'toolVersion' | 'analyzerVersion'>;
  /** Images that the dataset has. */
  readonly planned: number;
  /** Those that were finished. */
  readonly images: readonly { readonly document: ProfileDocument; readonly comparison?: ImageComparison }[];
  /** Absent where no image was compared. */
  readonly comparison: RunComparison | undefined;
  readonly facts: Pick<CompareRunInput['facts'], 'confine' | 'container'>;
  readonly commands: ClaimCommands;
}

/** The figures that the paper makes claims about, from a run and its comparison. */
export function claimsOf({ run, planned, images, comparison, facts, commands }: ClaimsInput): Claims {
  const proofsPassed = images.filter(({ document }) => document.status === 'proven').length;
  const compared = images.flatMap(({ document, comparison: own }) =>
    own === undefined ? [] : [{ document, comparison: own }],
  );
  const against = comparison?.groups[0]?.lines.find(({ line }) => line === 'confine')?.reduction['prof-gen'];
  const reached = against !== undefined && percent(against[universe].mean) >= target;
  return {
    schemaVersion: 1,
    ...run,
    command: commands.all,
    images: planned,
    compared: compared.length,
    proofsPassed,
    proofsPassedShare: planned === 0 ? 0 : percent(proofsPassed / planned),
    staticMisses: images.reduce((sum, { document }) => sum + document.staticMisses.length, 0),
    ...(against === undefined ? {} : reductions(against)),
    universe,
    claims: [
      { claim: 'images', paper: String(paper.images), ours: String(planned), command: commands.run },
      {
        claim: "fewer calls allowed than by Confine's method, mean over images",
        paper: `${paper.reduction}%`,
        ours:
          against === undefined
            ? 'not compared'
            : `${shown(against[universe].mean)} (95%: ${shown(against[universe].interval.from)} to ${shown(against[universe].interval.to)}; median ${shown(against[universe].median)})`,
        command: commands.compare,
      },
      {
        claim: 'containers that ran their test without failure, no call denied',
        paper: `all ${paper.images}`,
        ours: `${proofsPassed} of ${planned}`,
        command: commands.run,
      },
    ],
    ...(against === undefined
      ? {}
      : {
          heldBack: heldBack({
            target,
            reached,
            images: compared,
            confine: facts.confine,
            dockerDefault: dockerDefaultAllows(facts.container),
          }),
        }),
  };
}

function reductions(against: Readonly<Record<ComparisonUniverse, Distribution>>) {
  const by = <T>(of: (distribution: Distribution) => T): Record<ComparisonUniverse, T> =>
    Object.fromEntries(comparisonUniverses.map((each) => [each, of(against[each])])) as Record<
      ComparisonUniverse,
      T
    >;
  return {
    reductionMean: by(({ mean }) => percent(mean)),
    reductionMedian: by(({ median }) => percent(median)),
    reductionInterval: by(({ interval }) => ({ from: percent(interval.from), to: percent(interval.to) })),
  };
}

/** A part as a percentage with two decimals. */
function percent(part: number): number {
  return Math.round(part * 10_000) / 100;
}

function shown(part: number): string {
  return `${(part * 100).toFixed(1)}%`;
}
