import {
  type ComparedImage,
  type ComparisonGroup,
  type ComparisonLine,
  type ComparisonUniverse,
  compareStrings,
  comparisonLines,
  type Distribution,
  type ImageComparison,
  type LineMeasures,
  type LineOverview,
  type RunComparison,
  type SeenCall,
  x86_64Syscalls,
} from '@prof-gen/core';
import { type ContainerFacts, dockerDefaultAllows } from '@prof-gen/profile';
import type { MeasureFacts } from '../measure-profile.js';
import { distribution } from './distribution.js';
import { measureLine } from './measure-line.js';

export interface CompareRunInput {
  readonly run: Pick<RunComparison, 'dataset' | 'toolVersion' | 'analyzerVersion' | 'without'>;
  readonly images: readonly {
    readonly name: string;
    /** Official image it stands for, with or without a tag. */
    readonly official?: string | undefined;
    readonly category?: string | undefined;
    readonly comparison: ImageComparison;
  }[];
  readonly facts: Omit<MeasureFacts, 'official'> & { readonly container: ContainerFacts };
}

/** Calls that only an operator's `docker exec` made are no part of what a container does by itself. */
const shellPhase = 'shell';

/** All figures of a run: every line of every image, and each line over all images and over groups of them. */
export function compareRun({ run, images, facts }: CompareRunInput): RunComparison {
  const { confine, container, cves } = facts;
  const dockerDefault = dockerDefaultAllows(container);
  const compared = images.map(({ name, official, category, comparison }): ComparedImage => {
    const repository = official?.split(':')[0];
    const published = confine.images.find(
      (image) => image.official && image.denied > 0 && image.name === repository,
    );
    return {
      name,
      ...(official === undefined ? {} : { official }),
      category: category ?? 'none',
      language: comparison.language,
      libc: comparison.libc,
      lines: comparison.lines.map((line) => measureLine(line, comparison, { ...facts, dockerDefault })),
      ...(published === undefined
        ? {}
        : {
            published: {
              allowed: confine.universe - published.denied,
              denied: published.denied,
              validated: published.validated,
            },
          }),
    };
  });
  return {
    schemaVersion: 1,
    ...run,
    universes: {
      confine: confine.universe,
      table: x86_64Syscalls.names.length,
      docker: x86_64Syscalls.names.length,
    },
    cves: cves.cves.length,
    images: compared,
    groups: groupsOf(compared),
  };
}

function groupsOf(images: readonly ComparedImage[]): ComparisonGroup[] {
  if (images.length === 0) return [];
  const group = (by: ComparisonGroup['by'], value: string, members: readonly ComparedImage[]) => ({
    by,
    value,
    images: members.map(({ name }) => name),
    lines: overviews(members),
  });
  return [
    group('all', 'all', images),
    ...(['category', 'language', 'libc'] as const).flatMap((by) =>
      [...new Set(images.map((image) => image[by]))].sort(compareStrings).map((value) =>
        group(
          by,
          value,
          images.filter((image) => image[by] === value),
        ),
      ),
    ),
  ];
}

function overviews(images: readonly ComparedImage[]): LineOverview[] {
  return comparisonLines.flatMap((line) => {
    const pairs = images.flatMap((image) => {
      const own = lineOf(image, line);
      return own === undefined ? [] : [{ image, own }];
    });
    return pairs.length === 0 ? [] : [overview(line, pairs)];
  });
}

function overview(
  line: ComparisonLine,
  pairs: readonly { readonly image: ComparedImage; readonly own: LineMeasures }[],
): LineOverview {
  const over = (figure: (pair: (typeof pairs)[number]) => number): Distribution =>
    distribution(pairs.map(figure));
  const reductionOf = (ours: 'prof-gen' | 'needed') =>
    byUniverse((universe) =>
      over(({ image, own }) => {
        const theirs = own.allowed[universe].allowed;
        return fewer(theirs, lineOf(image, ours)?.allowed[universe].allowed ?? theirs);
      }),
    );
  return {
    line,
    images: pairs.length,
    allowed: byUniverse((universe) => over(({ own }) => own.allowed[universe].allowed)),
    reduction: { 'prof-gen': reductionOf('prof-gen'), needed: reductionOf('needed') },
    cves: over(({ own }) => own.cves.length),
    dangerous: over(({ own }) => own.dangerous.length),
    trace: broken(
      pairs.flatMap(({ own }) =>
        own.missesTrace === undefined ? [] : [own.missesTrace.filter(({ phase }) => phase !== shellPhase)],
      ),
    ),
    proof: broken(pairs.flatMap(({ own }) => (own.missesProof === undefined ? [] : [own.missesProof]))),
  };
}

function lineOf({ lines }: ComparedImage, line: ComparisonLine): LineMeasures | undefined {
  return lines.find((one) => one.line === line);
}

/** How many fewer calls, as a part of `theirs`. */
function fewer(theirs: number, ours: number): number {
  return theirs === 0 ? 0 : (theirs - ours) / theirs;
}

function broken(misses: readonly (readonly SeenCall[])[]): LineOverview['trace'] {
  const distinct = misses.map((calls) => new Set(calls.map(({ name }) => name)).size);
  return {
    images: misses.length,
    broken: distinct.filter((count) => count > 0).length,
    calls: distinct.reduce((sum, count) => sum + count, 0),
  };
}

function byUniverse<T>(of: (universe: ComparisonUniverse) => T): Record<ComparisonUniverse, T> {
  return { confine: of('confine'), table: of('table'), docker: of('docker') };
}
