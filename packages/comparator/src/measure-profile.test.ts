import { readFile } from 'node:fs/promises';
import {
  confinePublishedSchema,
  cveDatasetSchema,
  type SyscallFacts,
  syscallFactsSchema,
  x86_64Syscalls,
} from '@prof-gen/core';
import { defaultCapabilities, dockerDefaultAllows, dockerDefaultFor } from '@prof-gen/profile';
import { describe, expect, it } from 'vitest';
import { isNeutralised, measureProfile } from './measure-profile.js';

const dataset = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../datasets/${path}`, import.meta.url), 'utf8'));

const cves = cveDatasetSchema.parse(await dataset('cve/cves.json'));
const confine = confinePublishedSchema.parse(await dataset('confine-published/published.json'));
const syscalls: SyscallFacts = syscallFactsSchema.parse(await dataset('syscalls/syscalls.json'));
const container = { capabilities: defaultCapabilities };
const facts = { container, cves, confine, syscalls };
const calls = (names: Iterable<string>) => [...names].map((name) => ({ name }));

describe('the datasets', () => {
  it('name only calls that exist, and each thing once', () => {
    const names = [
      ...cves.cves.flatMap(({ reach }) => reach.flatMap((one) => one.syscalls)),
      ...confine.decided,
      ...confine.deniedInEvery,
      ...confine.images.flatMap(({ deniedSet }) => deniedSet ?? []),
      ...syscalls.dangerous.map(({ name }) => name),
    ];
    expect([...new Set(names)].filter((name) => x86_64Syscalls.numberOf(name) === undefined)).toEqual([]);
    expect(new Set(cves.cves.map(({ id }) => id)).size).toBe(60);
    expect(new Set(confine.images.map(({ name }) => name)).size).toBe(209);
    expect(syscalls.dangerous.map(({ name }) => name)).toEqual(
      [...new Set(syscalls.dangerous.map(({ name }) => name))].sort(),
    );
    for (const { reach } of cves.cves)
      for (const { source } of reach) expect(cves.sources).toHaveProperty([source]);
  });

  it('hold what Confine published: 121 official profiles, 162 calls denied on average, 148 sets', () => {
    const official = confine.images.filter((image) => image.official && image.denied > 0);
    expect(official).toHaveLength(121);
    expect(official.reduce((sum, { denied }) => sum + denied, 0) / official.length).toBeCloseTo(162, 0);
    const withSet = confine.images.filter(({ deniedSet }) => deniedSet !== undefined);
    expect(withSet).toHaveLength(148);
    for (const { denied, deniedSet, name } of withSet) {
      expect((deniedSet?.length ?? 0) + confine.deniedInEvery.length, name).toBe(denied);
    }
  });
});

describe('the transcriptions', () => {
  // Sums over every row of what the sources say (the datasets' README files): a row that is lost or changed shows.
  it('of the CVE lists have every statement of each source', () => {
    const statements = cves.cves.flatMap(({ reach }) => reach);
    const bySource = Object.keys(cves.sources).map((source) => [
      source,
      statements.filter((one) => one.source === source).length,
    ]);
    expect(Object.fromEntries(bySource)).toEqual({
      'confine-manual': 29,
      syspart: 36,
      'confine-fine(2022)': 9,
    });
    expect(statements.reduce((sum, one) => sum + one.syscalls.length, 0)).toBe(102);
    expect(cves.cves.filter(({ kinds }) => kinds.length === 0)).toHaveLength(5);
    const ids = cves.cves.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
  });

  it("of Confine's results have every figure of its 209 images", () => {
    expect([confine.source, confine.licence]).toEqual([
      'https://github.com/shamedgh/confine, sample results (RAID 2020)',
      'MIT',
    ]);
    const { images } = confine;
    const count = (fact: (image: (typeof images)[number]) => boolean) => images.filter(fact).length;
    expect({
      official: count(({ official }) => official),
      launchable: count(({ launchable }) => launchable),
      staysRunning: count(({ staysRunning }) => staysRunning),
      validated: count(({ validated }) => validated),
      failed: count(({ error }) => error !== ''),
    }).toEqual({ official: 152, launchable: 189, staysRunning: 149, validated: 97, failed: 92 });
    const sum = (figure: (image: (typeof images)[number]) => number) =>
      images.reduce((total, image) => total + figure(image), 0);
    expect(sum(({ denied }) => denied)).toBe(23_817);
    expect(sum(({ deniedBeyondDockerDefault }) => deniedBeyondDockerDefault)).toBe(18_644);
    // Seconds are kept to a tenth.
    expect(sum(({ seconds }) => seconds)).toBeCloseTo(15_604, 0);
    const ranks = images.map(({ rank }) => rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });
});

describe('measureProfile', () => {
  it("counts the CVEs that Docker's default neutralises", () => {
    const measures = measureProfile([], facts);
    expect(measures.cves.byDockerDefault).toHaveLength(13);
    expect(measures.cves.neutralised).toHaveLength(60);
    expect(measures.table).toEqual({ universe: x86_64Syscalls.names.length, allowed: 0, reduction: 1 });
    expect(measures.confineUniverse.allowed).toBe(326 - 317);
  });

  it("finds the 17 CVEs that the literature counts for Docker's default, where it reads conditions as denials", () => {
    // ptrace (Linux before 4.8), clone and socket (some arguments only) are what makes 17 of 13.
    const { allowed } = dockerDefaultFor({ ...container, kernel: '4.4' });
    const unconditional = new Set(
      [...allowed].filter(([, rules]) => rules === undefined).map(([name]) => name),
    );
    expect(cves.cves.filter((cve) => isNeutralised(cve, unconditional))).toHaveLength(17);
  });

  it("finds Docker's default equal to itself", () => {
    const { docker, dangerous } = measureProfile(calls(dockerDefaultAllows(container)), facts);
    expect(docker).toMatchObject({ removed: [], added: [], reduction: 0 });
    expect(dangerous.map(({ name }) => name)).toContain('ptrace');
    expect(dangerous.map(({ name }) => name)).not.toContain('mount');
  });

  it('improves with every call that is denied', () => {
    const all = calls(x86_64Syscalls.names);
    for (let left = all.length; left > 40; left -= 40) {
      const [before, after] = [
        measureProfile(all.slice(0, left), facts),
        measureProfile(all.slice(0, left - 40), facts),
      ];
      expect(after.table.reduction).toBeGreaterThan(before.table.reduction);
      expect(after.confineUniverse.reduction).toBeGreaterThanOrEqual(before.confineUniverse.reduction);
      expect(after.cves.neutralised).toEqual(expect.arrayContaining(before.cves.neutralised));
    }
  });

  it('counts a CVE only when no source sees a call left open', () => {
    const cve = {
      id: 'CVE-2000-0001',
      kinds: [],
      reach: [
        { source: 'a', syscalls: ['read'] },
        { source: 'b', syscalls: ['write'] },
      ],
    };
    expect(isNeutralised(cve, new Set(['write']))).toBe(false);
    expect(isNeutralised(cve, new Set(['open']))).toBe(true);
  });

  it('shows what Confine published for an official name, and marks conditional calls', () => {
    const measures = measureProfile([{ name: 'personality', when: [[]] }], { ...facts, official: 'redis' });
    const published = confine.images.find(({ name, official }) => official && name === 'redis');
    expect(measures.confinePublished).toMatchObject({ image: 'redis', denied: published?.denied });
    expect(measures.dangerous).toEqual([expect.objectContaining({ name: 'personality', conditional: true })]);
    expect(measureProfile([], { ...facts, official: 'no-such-image' })).not.toHaveProperty(
      'confinePublished',
    );
  });
});
