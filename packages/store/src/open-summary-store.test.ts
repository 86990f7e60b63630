import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openSummaryStore } from './index.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-summaries-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

const bytes = (...values: number[]) => Uint8Array.from(values);

it('keeps summaries by content and version, names apart', () => {
  const file = join(directory, 'cache', 'summaries.db');
  const one = openSummaryStore(file);
  const two = openSummaryStore(file);
  one.put('aa', '1', bytes(1, 2), bytes(3));
  two.put('aa', '1', bytes(9), bytes(9));
  two.put('aa', '2', bytes(4), bytes());
  expect([...(two.get('aa', '1') ?? [])]).toEqual([1, 2]);
  expect([...(one.get('aa', '2') ?? [])]).toEqual([4]);
  expect([...(one.names('aa', '1') ?? [])]).toEqual([3]);
  expect(one.get('bb', '1')).toBeUndefined();
  expect(one.names('bb', '1')).toBeUndefined();
  expect(one.size()).toEqual({ summaries: 2, bytes: 4 });
  one.close();
  two.close();
});

it('keeps facts for comparisons under a version of their own, as long as the file has a summary', () => {
  const cache = openSummaryStore(join(directory, 'summaries.db'));
  const facts = { imports: ['open'], weakImports: [], direct: [39], undecided: 1, go: false };
  cache.put('aa', '1', bytes(1), bytes());
  cache.putLineFacts('aa', 'v', facts);
  cache.putLineFacts('aa', 'v', { ...facts, undecided: 2 });
  expect(cache.lineFacts('aa', 'v')).toEqual(facts);
  expect(cache.lineFacts('aa', 'w')).toBeUndefined();
  cache.prune(100);
  expect(cache.lineFacts('aa', 'v')).toEqual(facts);
  cache.prune(0);
  expect(cache.lineFacts('aa', 'v')).toBeUndefined();
  cache.close();
});

it('prunes what was not used for longest, names with it', () => {
  const file = join(directory, 'summaries.db');
  vi.useFakeTimers({ toFake: ['Date'] });
  const on = (day: number) => vi.setSystemTime(day * 86_400_000);
  on(100);
  const cache = openSummaryStore(file);
  for (const key of ['a', 'b', 'c']) cache.put(key, '1', new Uint8Array(6), new Uint8Array(4));
  on(105);
  cache.get('a', '1');
  expect(cache.prune(20)).toBe(1);
  expect(cache.get('b', '1')).toBeUndefined();
  expect(cache.names('b', '1')).toBeUndefined();
  expect(cache.get('a', '1')).toHaveLength(6);
  expect(cache.prune(10)).toBe(1);
  expect(cache.get('a', '1')).toHaveLength(6);
  expect(cache.prune(0)).toBe(1);
  expect(cache.size()).toEqual({ summaries: 0, bytes: 0 });
  cache.close();
});
