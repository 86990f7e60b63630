import type { Pace } from '@prof-gen/image';
import { beforeEach, describe, expect, it } from 'vitest';
import { offlinePace, ratePace } from './rate-pace.js';

const start = Date.UTC(2026, 7, 21, 14, 0, 0);
let time: number;
let notes: string[];
let pace: Pace;
beforeEach(() => {
  time = start;
  notes = [];
  pace = ratePace({
    note: (host, message) => notes.push(`${host}: ${message}`),
    now: () => time,
    sleep: (milliseconds) => {
      time += milliseconds;
      return Promise.resolve();
    },
  });
});

const waited = async (method = 'GET', host = 'h'): Promise<number> => {
  const before = time;
  await pace.before(host, method, undefined);
  return (time - before) / 1000;
};
const left = (count: number, status = 200) =>
  pace.after(
    'h',
    status,
    new Headers({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': `${count};w=21600` }),
  );

describe('ratePace', () => {
  it('tells what is left at first, and by tenths', async () => {
    for (const count of [100, 99, 95, 91, 90, 85, 80, 79]) left(count);
    expect(notes).toEqual([
      'h: 100 of 100 requests left',
      'h: 90 of 100 requests left',
      'h: 80 of 100 requests left',
    ]);
    expect(await waited()).toBe(0);
  });

  it('waits at zero, with GET alone, until the window lets one more through', async () => {
    left(0);
    expect(notes.at(-1)).toBe('h: no requests left; goes on at 14:03:36 UTC, in 3 min 36 s');
    expect(await waited('HEAD')).toBe(0);
    expect(await waited('GET', 'other')).toBe(0);
    expect(await waited()).toBe(216);
  });

  it('goes on when an answer says that something is left', async () => {
    left(0);
    left(3);
    expect(await waited()).toBe(0);
  });

  it.each([
    ['x-ratelimit', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(start / 1000 + 90) }],
    ['the draft of the IETF', { 'ratelimit-remaining': '0', 'ratelimit-reset': '90' }],
  ])('waits as long as %s says', async (_, headers) => {
    pace.after('h', 200, new Headers(headers));
    expect(await waited()).toBe(90);
    expect(notes).toEqual(['h: no requests left; goes on at 14:01:30 UTC, in 1 min 30 s']);
  });

  it('after a refusal waits as long as it was asked to, with every request', async () => {
    expect(pace.refused('h', 5000)).toBe(true);
    // One that was under way at the same time.
    expect(pace.refused('h', 5000)).toBe(true);
    expect(notes).toEqual(['h: too many requests; goes on at 14:00:05 UTC, in 5 s']);
    expect(await waited('HEAD')).toBe(5);
  });

  it('without being asked waits longer each time, and not for ever', async () => {
    const waits: number[] = [];
    while (pace.refused('h', 0)) waits.push(await waited());
    expect(waits.slice(0, 10)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect((time - start) / 3_600_000).toBeGreaterThan(6);
    expect((time - start) / 3_600_000).toBeLessThan(6.6);
  });

  it('does not wait for a host that asks for more than anybody has', async () => {
    expect(pace.refused('h', 999_999_999_000)).toBe(false);
    pace.after('h', 200, new Headers({ 'ratelimit-remaining': '0', 'ratelimit-reset': '999999999' }));
    await expect(waited()).rejects.toMatchObject({ code: 'registry/rate-limited', retryable: true });
  });

  it('makes nothing of headers that say nothing', async () => {
    for (const value of ['', 'none', '-1', '1e99']) {
      pace.after('h', 200, new Headers({ 'ratelimit-remaining': value, 'ratelimit-limit': value }));
    }
    expect(await waited()).toBe(0);
    expect(notes.length).toBeLessThan(2);
  });
});

it('offline nobody is asked', async () => {
  await expect(offlinePace().before('h', 'HEAD', undefined)).rejects.toMatchObject({
    code: 'registry/offline',
  });
});
