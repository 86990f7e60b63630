import { expect, test } from 'vitest';
import { largestFirst } from './largest-first.js';

test('the largest that waits goes first, equal ones in order, and never more than the limit at once', async () => {
  const schedule = largestFirst(2);
  const started: string[] = [];
  let running = 0;
  let most = 0;
  const work = (name: string) => async (): Promise<string> => {
    started.push(name);
    most = Math.max(most, ++running);
    await new Promise((done) => setImmediate(done));
    running -= 1;
    return name;
  };
  const sizes = { a: 1, b: 2, c: 3, d: 9, e: 3, f: 5 };
  const results = await Promise.all(Object.entries(sizes).map(([name, size]) => schedule(size, work(name))));
  expect(results).toEqual(Object.keys(sizes));
  expect(started).toEqual(['a', 'b', 'd', 'f', 'c', 'e']);
  expect(most).toBe(2);
});

test('work that fails gives its place to the next', async () => {
  const schedule = largestFirst(1);
  const failed = schedule(1, () => Promise.reject(new Error('no')));
  const next = schedule(1, () => Promise.resolve('done'));
  await expect(failed).rejects.toThrow('no');
  await expect(next).resolves.toBe('done');
});
