import {
  type Claims,
  claimsSchema,
  type ComparedImage,
  comparisonLines,
  type ImageComparison,
  type RunComparison,
  runComparisonSchema,
  x86_64Syscalls,
} from '@prof-gen/core';
import { profileDocumentFixture } from '@prof-gen/testkit';
import type { ReportImage, ReportInput } from '../src/index.js';

/** Tries every way out of text: an element, an attribute, a script block, a URL, a control character. */
export const hostile = `"><img src=x onerror="window.owned=1"></script><script>window.owned=1</script>'\${window.owned=1}\u202e\u0007`;

const names = [...x86_64Syscalls.names].sort();

/** Line N allows ten calls more than the one before it. */
function imageComparison(name: string, allowed: number): ImageComparison {
  return {
    schemaVersion: 1,
    language: 'C/C++',
    libc: 'glibc',
    lines: comparisonLines.map((line, index) => ({
      line,
      allowed: names.slice(0, allowed + 10 * index),
      conditional: [],
    })),
    confine: {
      basis: 'trace',
      programs: [name],
      files: 4,
      unreadable: [],
      direct: [],
      undecided: 0,
      imported: [],
      java: false,
    },
  };
}

export interface ReportImageOptions {
  readonly status?: 'proven' | 'failed';
  readonly category?: string;
  readonly programs?: number;
}

export function reportImage(
  name: string,
  allowed: number,
  { status = 'proven', category = 'database', programs = 1 }: ReportImageOptions = {},
): ReportImage {
  return {
    name,
    official: `${name}:1`,
    category,
    document: profileDocumentFixture({ name, allowed, status, programs }),
    dockerProfile: `${JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: names.slice(0, allowed) }] }, null, 4)}\n`,
    timings: {
      open: 800,
      programs: 90,
      observe: 9000,
      summarise: 2100,
      link: 340,
      build: 12,
      prove: 21000,
      keep: 20,
    },
    comparison: imageComparison(name, allowed),
  };
}

/** All that a run with `--compare` has; figures are simple, not measured. */
export function reportInputOf(
  images: readonly ReportImage[],
  failures: ReportInput['failures'],
): ReportInput {
  const everywhere = <T>(value: T) => ({ confine: value, table: value, docker: value });
  const spread = {
    count: images.length,
    mean: 0.25,
    median: 0.2,
    lowerQuartile: 0.1,
    upperQuartile: 0.3,
    minimum: 0,
    maximum: 0.5,
    interval: { from: 0.2, to: 0.3 },
  };
  const compared = images.map(
    ({ name, official, category = 'none', comparison }): ComparedImage => ({
      name,
      ...(official === undefined ? {} : { official }),
      category,
      language: name === 'python' ? 'Python' : 'C/C++',
      libc: 'glibc',
      lines: (comparison?.lines ?? []).map(({ line, allowed }) => ({
        line,
        allowed: everywhere({ universe: 384, allowed: allowed.length, reduction: 1 - allowed.length / 384 }),
        cves: ['CVE-2016-0728'],
        dangerous: ['ptrace'],
        conditional: [],
        missesTrace: line === 'trace' ? [{ name: 'mount', program: `/bin/${name}`, phase: 'start' }] : [],
        missesProof: [],
      })),
    }),
  );
  const group = (by: 'all' | 'category', value: string, members: readonly ComparedImage[]) => ({
    by,
    value,
    images: members.map(({ name }) => name),
    lines: comparisonLines.map((line) => ({
      line,
      images: members.length,
      allowed: everywhere({ ...spread, mean: 120, median: 118 }),
      reduction: { 'prof-gen': everywhere(spread), needed: everywhere(spread) },
      cves: { ...spread, mean: 12 },
      dangerous: { ...spread, mean: 3 },
      trace: { images: members.length, broken: 0, calls: 0 },
      proof: { images: members.length, broken: 0, calls: 0 },
    })),
  });
  const categories = [...new Set(compared.map(({ category }) => category))].sort();
  const versions = { dataset: 'debian-official', toolVersion: '0.1.0', analyzerVersion: '1' };
  const comparison: RunComparison = runComparisonSchema.parse({
    schemaVersion: 1,
    ...versions,
    universes: { confine: 326, table: 384, docker: 384 },
    cves: 60,
    images: compared,
    without: failures.map(({ name, error }) => ({ name, reason: error.code })),
    groups: [
      group('all', 'all', compared),
      ...categories.map((category) =>
        group(
          'category',
          category,
          compared.filter((image) => image.category === category),
        ),
      ),
    ],
  });
  const calls = { count: 30, calls: [{ name: 'socket', images: 3 }] };
  const claims: Claims = claimsSchema.parse({
    schemaVersion: 1,
    ...versions,
    command: 'prof-gen reproduce d.yaml',
    images: images.length,
    compared: images.length,
    proofsPassed: images.length,
    proofsPassedShare: 100,
    staticMisses: 0,
    reductionMean: everywhere(25),
    reductionMedian: everywhere(20),
    reductionInterval: everywhere({ from: 20, to: 30 }),
    universe: 'confine',
    claims: [{ claim: 'images', paper: '120', ours: String(images.length), command: 'prof-gen run d.yaml' }],
    heldBack: {
      target: 35,
      reached: false,
      images: images.length,
      ours: 400,
      theirs: 500,
      reasons: [{ reason: 'code', both: calls, oursAlone: { count: 0, calls: [] } }],
      undeniable: 9,
      dockerDefault: { ours: calls, theirs: calls },
    },
  });
  return {
    title: `Seccomp profiles of ${images.length} images`,
    run: {
      ...versions,
      engine: {
        engine: 'docker',
        engineVersion: '20.10.24',
        runtime: 'runc',
        runtimeVersion: '1.1.5',
        kernel: '6.1.0',
        cgroupVersion: '1',
      },
    },
    claims,
    comparison,
    dangerous: [{ name: 'ptrace', why: 'reads and writes other processes' }],
    images,
    failures,
  };
}

export const reportInput: ReportInput = reportInputOf(
  [
    reportImage('redis', 109),
    reportImage('nginx', 116, { category: 'web server' }),
    reportImage('python', 193, { status: 'failed', category: 'language' }),
    reportImage(hostile, 60),
  ],
  [
    {
      name: `gone${hostile}`,
      error: { code: 'registry/not-found', message: `no such tag ${hostile}`, hint: 'check the name' },
    },
  ],
);

/** As large as a real corpus: calls, programs and reasons as many as those of images that were profiled. */
export function manyImages(count: number): ReportInput {
  const categories = ['database', 'language', 'web server', 'broker', 'tool', 'proxy', 'framework', 'base'];
  return reportInputOf(
    Array.from({ length: count }, (_, index) =>
      reportImage(`image-${index}`, 110 + ((index * 37) % 90), {
        category: categories[index % categories.length] ?? 'base',
        programs: 8,
      }),
    ),
    [],
  );
}
