import { readFile } from 'node:fs/promises';
import {
  claimsSchema,
  comparisonLines,
  confinePublishedSchema,
  cveDatasetSchema,
  type Evidence,
  type ImageComparison,
  type ProfileDocument,
  syscallFactsSchema,
} from '@prof-gen/core';
import { defaultCapabilities } from '@prof-gen/profile';
import { expect, it } from 'vitest';
import { compareRun } from '../compare/compare-run.js';
import { claimsOf } from './claims-of.js';

const dataset = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../../datasets/${path}`, import.meta.url), 'utf8'));
const facts = {
  container: { capabilities: defaultCapabilities },
  cves: cveDatasetSchema.parse(await dataset('cve/cves.json')),
  confine: confinePublishedSchema.parse(await dataset('confine-published/published.json')),
  syscalls: syscallFactsSchema.parse(await dataset('syscalls/syscalls.json')),
};
const run = { dataset: 'd', toolVersion: '1', analyzerVersion: '2' };
const commands = { all: 'reproduce', run: 'run', compare: 'compare' };

const code: Evidence = { kind: 'static', program: '/p', object: '/p', function: 'f', site: '0x1' };
const traced: Evidence = { kind: 'traced', program: '/p', process: 'p', phase: 'start', method: 'bpftrace' };
const base: Evidence = { kind: 'runtime-base', runtime: 'runc', version: '1' };
const reasons: Readonly<Record<string, Evidence[]>> = {
  read: [code, traced],
  write: [code],
  listen: [code],
  prctl: [base],
};
const needed = [...Object.keys(reasons), 'mount'];

/** Ours allows the calls above; Confine's method all that can be denied but for `listen`. */
function image(status: ProfileDocument['status']) {
  const document = {
    status,
    syscalls: Object.entries(reasons).map(([name, evidence]) => ({ name, evidence })),
    staticMisses: [],
  } as unknown as ProfileDocument;
  const allowed = (line: string): string[] =>
    line === 'prof-gen'
      ? Object.keys(reasons)
      : line === 'needed'
        ? needed
        : facts.confine.decided.filter((name) => name !== 'listen');
  const comparison: ImageComparison = {
    schemaVersion: 1,
    language: 'C/C++',
    libc: 'glibc',
    lines: comparisonLines.map((line) => ({ line, allowed: allowed(line), conditional: [] })),
    confine: {
      basis: 'trace',
      programs: [],
      files: 1,
      unreadable: [],
      direct: [],
      undecided: 0,
      imported: [],
      java: false,
    },
    proof: {
      status: 'passed',
      seen: [{ name: 'listen', program: '/p', phase: 'workload' }],
      denied: [],
    },
  };
  return { document, comparison };
}

const images = [image('proven'), image('failed')];
const comparison = compareRun({
  run: { ...run, without: [] },
  images: images.map((each, index) => ({ name: `i${index}`, comparison: each.comparison })),
  facts,
});

it('gives shares as percentages, and each claim with the command behind it', () => {
  const claims = claimsOf({ run, planned: 4, images, comparison, facts, commands });
  expect(claimsSchema.parse(claims)).toEqual(claims);
  expect(claims).toMatchObject({ images: 4, compared: 2, proofsPassed: 1, proofsPassedShare: 25 });
  const theirs = facts.confine.universe - 1;
  const ours = facts.confine.universe - facts.confine.decided.length + Object.keys(reasons).length;
  expect(claims.reductionMean?.confine).toBeCloseTo((100 * (theirs - ours)) / theirs, 1);
  expect(claims.claims.map(({ command }) => command)).toEqual(['run', 'compare', 'run']);
});

it('counts every allowed call once, by the first reason, beside what Confine allows', () => {
  const { heldBack } = claimsOf({ run, planned: 2, images, comparison, facts, commands });
  const kept = Object.fromEntries(
    (heldBack?.reasons ?? []).map(({ reason, both, oursAlone }) => [reason, [both.count, oursAlone.count]]),
  );
  expect(kept).toEqual({ observed: [2, 0], tested: [0, 2], runtime: [2, 0], code: [2, 0], other: [0, 0] });
  expect(heldBack?.dockerDefault.ours.calls).toEqual([{ name: 'mount', images: 2 }]);
  const counted = Object.values(kept).flat();
  expect(counted.reduce((sum, count) => sum + count, 0) + 2 * (heldBack?.undeniable ?? 0)).toBe(
    heldBack?.ours,
  );
});

it('has no reduction where nothing was compared', () => {
  const alone = images.map(({ document }) => ({ document }));
  const claims = claimsOf({ run, planned: 2, images: alone, comparison: undefined, facts, commands });
  expect(claims).toMatchObject({ compared: 0, proofsPassed: 1 });
  expect(claims).not.toHaveProperty('reductionMean');
  expect(claims).not.toHaveProperty('heldBack');
});
