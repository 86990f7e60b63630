import { readFile } from 'node:fs/promises';
import {
  comparisonLines,
  confinePublishedSchema,
  cveDatasetSchema,
  type ImageComparison,
  runComparisonSchema,
  syscallFactsSchema,
  x86_64Syscalls,
} from '@prof-gen/core';
import { defaultCapabilities } from '@prof-gen/profile';
import { describe, expect, it } from 'vitest';
import { compareRun } from './compare-run.js';
import { distribution } from './distribution.js';
import { languageOf } from './language-of.js';

const dataset = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../../datasets/${path}`, import.meta.url), 'utf8'));
const facts = {
  container: { capabilities: defaultCapabilities },
  cves: cveDatasetSchema.parse(await dataset('cve/cves.json')),
  confine: confinePublishedSchema.parse(await dataset('confine-published/published.json')),
  syscalls: syscallFactsSchema.parse(await dataset('syscalls/syscalls.json')),
};
const run = { dataset: 'd', toolVersion: '1', analyzerVersion: '2', without: [] };
const { names } = x86_64Syscalls;

/** Lines that allow the first calls of the table: `prof-gen` fewest, each other one ten more than the one before. */
function comparison(allowed: number, more: Partial<ImageComparison> = {}): ImageComparison {
  return {
    schemaVersion: 1,
    language: 'C/C++',
    libc: 'glibc',
    lines: comparisonLines.map((line, i) => ({
      line,
      allowed: names.slice(0, allowed + 10 * i).sort(),
      conditional: [],
    })),
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
    ...more,
  };
}

describe('compareRun', () => {
  const images = [
    { name: 'redis', official: 'redis:7', category: 'database', comparison: comparison(60) },
    { name: 'b', category: 'database', comparison: comparison(100, { language: 'Go', libc: 'none' }) },
    { name: 'c', comparison: comparison(80) },
  ];
  const compared = compareRun({ run, images, facts });
  const [all] = compared.groups;
  const line = (name: string) => all?.lines.find((one) => one.line === name);

  it('is what its schema says, and equal for equal images', () => {
    expect(runComparisonSchema.parse(compared)).toEqual(compared);
    expect(JSON.stringify(compareRun({ run, images, facts }))).toBe(JSON.stringify(compared));
  });

  it('counts reductions image by image, in every universe', () => {
    const parts = [20 / 80, 20 / 120, 20 / 100];
    const expected = parts.reduce((sum, part) => sum + part, 0) / 3;
    expect(line('confine')?.reduction['prof-gen'].table.mean).toBeCloseTo(expected, 12);
    expect(line('confine')?.reduction.needed.table.mean).toBeLessThan(expected);
    expect(line('prof-gen')?.reduction['prof-gen'].confine.mean).toBe(0);
    for (const { lines } of compared.images) {
      for (const { allowed } of lines) {
        expect(allowed.docker.allowed).toBeLessThanOrEqual(allowed.table.allowed);
        expect(allowed.confine.allowed).toBeGreaterThanOrEqual(
          facts.confine.universe - facts.confine.decided.length,
        );
      }
    }
  });

  it('groups every image once by category, language and C library', () => {
    for (const by of ['category', 'language', 'libc'] as const) {
      const members = compared.groups.filter((group) => group.by === by).flatMap((group) => group.images);
      expect(members.sort()).toEqual(['b', 'c', 'redis']);
    }
    expect(all).toMatchObject({ by: 'all', images: ['redis', 'b', 'c'] });
  });

  it('puts what Confine published beside, where the name is the same', () => {
    const published = facts.confine.images.find(({ name, official }) => official && name === 'redis');
    expect(compared.images.map((image) => image.published?.denied)).toEqual([
      published?.denied,
      undefined,
      undefined,
    ]);
  });

  it('counts what a line would break: of the trace without docker exec, of tests wholly', () => {
    const seen = (name: string, phase: string) => ({ name, program: '/p', phase });
    const last = (back: number) => names[names.length - back] as string;
    const broken = comparison(60, {
      observed: [seen('read', 'start'), seen(last(1), 'stop'), seen(last(2), 'shell')],
      proof: { status: 'failed', seen: [seen(last(1), 'test')], denied: [seen('read', 'test')] },
    });
    const [group] = compareRun({
      run,
      images: [{ name: 'a', comparison: broken }, ...images],
      facts,
    }).groups;
    const of = (name: string) => group?.lines.find((one) => one.line === name);
    expect(of('confine')).toMatchObject({
      trace: { images: 1, broken: 1, calls: 1 },
      proof: { images: 1, broken: 1, calls: 1 },
    });
    // Denied for its arguments: a miss of the profile that denied it, and of no other.
    expect(of('prof-gen')?.proof).toEqual({ images: 1, broken: 1, calls: 2 });
  });

  it('gives nothing to a run without images', () => {
    expect(compareRun({ run, images: [], facts }).groups).toEqual([]);
  });
});

describe('distribution', () => {
  it('does not depend on the order, and keeps its figures in order', () => {
    for (let size = 1; size < 40; size += 1) {
      const values = Array.from({ length: size }, (_, i) => ((i * 7919) % 101) / 101 - 0.3);
      const one = distribution(values);
      expect(distribution([...values].reverse())).toEqual(one);
      const { minimum, lowerQuartile, median, upperQuartile, maximum, mean, interval } = one;
      const ordered = [minimum, lowerQuartile, median, upperQuartile, maximum];
      expect([...ordered].sort((a, b) => a - b)).toEqual(ordered);
      expect(interval.from).toBeLessThanOrEqual(mean + 1e-12);
      expect(interval.to).toBeGreaterThanOrEqual(mean - 1e-12);
    }
  });

  it('moves and scales with its values', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    const one = distribution(values);
    const other = distribution(values.map((value) => 2 * value + 10));
    expect(other.median).toBe(2 * one.median + 10);
    expect(other.upperQuartile).toBe(2 * one.upperQuartile + 10);
    expect(other.interval.from).toBeCloseTo(2 * one.interval.from + 10, 9);
  });

  it('knows the values of small examples', () => {
    expect(distribution([4, 1, 3, 2])).toMatchObject({
      mean: 2.5,
      median: 2.5,
      lowerQuartile: 1.75,
      upperQuartile: 3.25,
    });
    expect(distribution([5])).toMatchObject({ mean: 5, interval: { from: 5, to: 5 } });
    expect(distribution([])).toMatchObject({ count: 0, mean: 0 });
  });

  it('has intervals that hold the mean of a known population about as often as they say', () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state / 2 ** 32;
    };
    const rounds = 100;
    let held = 0;
    for (let round = 0; round < rounds; round += 1) {
      const { interval } = distribution(Array.from({ length: 60 }, random));
      if (interval.from <= 0.5 && interval.to >= 0.5) held += 1;
    }
    expect(held / rounds).toBeGreaterThan(0.88);
    expect(held / rounds).toBeLessThan(0.99);
  });
});

describe('languageOf', () => {
  const origin = { kind: 'run-command' as const, chain: [] };
  const language = (paths: readonly string[], go: readonly string[] = []) =>
    languageOf(
      paths.map((path) => ({ path, origin })),
      new Set(go),
    );

  it.each([
    [['/usr/bin/dash', '/usr/sbin/gosu', '/usr/bin/redis-server'], 'C/C++'],
    [['/usr/bin/python3.11'], 'Python'],
    [['/usr/sbin/php-fpm8.2'], 'PHP'],
    [['/usr/bin/bash'], 'Shell'],
    [['/usr/lib/jvm/bin/java'], 'Java'],
    [[], 'C/C++'],
  ])('%j: %s', (paths, expected) => {
    expect(language(paths, ['/usr/sbin/gosu'])).toBe(expected);
  });

  it('is that of what an entrypoint executes at its end, not of what it prepares with', () => {
    const script = { kind: 'script' as const, script: '/entrypoint.sh', line: 1 };
    const traced = { kind: 'traced' as const, phase: 'start' };
    const programs = [
      { path: '/usr/bin/dash', origin },
      { path: '/usr/bin/perl', origin: script },
      { path: '/usr/bin/node', origin: script },
      { path: '/usr/bin/python3.11', origin: traced },
    ];
    expect(languageOf(programs, new Set())).toBe('JavaScript');
  });

  it('is Go where the program itself is', () => {
    expect(language(['/usr/bin/tini', '/usr/bin/caddy'], ['/usr/bin/caddy'])).toBe('Go');
  });
});
