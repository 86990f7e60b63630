import type { ComparedImage, ComparisonLine, Evidence, LineMeasures, ProfileDocument } from '@prof-gen/core';
import type { ReportImage } from './report-input.js';

/** The figures of one image that tables and charts share. */
export interface ImageFacts {
  readonly name: string;
  readonly static: number;
  readonly traced: number;
  readonly allowed: number;
  readonly dockerDefault: number;
  /** Part of Docker's default that is denied, 0 to 1. */
  readonly fewer: number;
  readonly misses: number;
  /** Denied in the proof, deliberate refusals (`expected`) not counted; undefined without a proof. */
  readonly denials: number | undefined;
  readonly seconds: number;
}

export function imageFacts({ name, document, timings }: ReportImage): ImageFacts {
  const { stats, staticMisses, proof } = document;
  return {
    name,
    static: stats.static,
    traced: stats.traced,
    allowed: stats.allowed,
    dockerDefault: stats.dockerDefault,
    fewer: stats.dockerDefault === 0 ? 0 : 1 - stats.allowed / stats.dockerDefault,
    misses: staticMisses.length,
    denials: proof?.denials.filter(({ expected }) => !expected).length,
    seconds: Object.values(timings).reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000,
  };
}

/** What speaks for a call, in four groups without overlap. */
export type Reason = 'both' | 'static' | 'traced' | 'other';

/** `other`: the container runtime, the kernel, a failed proof or a user, and neither code nor trace. */
export function reasonOf(evidence: readonly Evidence[]): Reason {
  const kinds = new Set(evidence.map(({ kind }) => kind));
  if (kinds.has('static')) return kinds.has('traced') ? 'both' : 'static';
  return kinds.has('traced') ? 'traced' : 'other';
}

export function reasonCounts(document: ProfileDocument): Readonly<Record<Reason, number>> {
  const counts = { both: 0, static: 0, traced: 0, other: 0 };
  for (const { evidence } of document.syscalls) counts[reasonOf(evidence)] += 1;
  return counts;
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One line's measures of an image. */
export function lineOf(image: ComparedImage | undefined, line: ComparisonLine): LineMeasures | undefined {
  return image?.lines.find((one) => one.line === line);
}

/** How many fewer calls our profile allows than the line, in Confine's universe; 0.4 is 40% fewer. */
export function reductionOf(image: ComparedImage | undefined, line: ComparisonLine): number | undefined {
  const ours = lineOf(image, 'prof-gen')?.allowed.confine.allowed;
  const theirs = lineOf(image, line)?.allowed.confine.allowed;
  return ours === undefined || !theirs ? undefined : (theirs - ours) / theirs;
}

/** Distinct ELF files of each image, by content: those that no image before has, and the others. */
export function filesByImage(
  images: readonly ReportImage[],
): readonly { readonly fresh: number; readonly shared: number }[] {
  const seen = new Set<string>();
  return images.map(({ document }) => {
    const own = new Set(
      document.programs.flatMap(({ sha256, objects }) => [sha256, ...objects.map((object) => object.sha256)]),
    );
    const fresh = [...own].filter((hash) => !seen.has(hash));
    for (const hash of fresh) seen.add(hash);
    return { fresh: fresh.length, shared: own.size - fresh.length };
  });
}
