import { ProfGenError } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { withRetries } from './with-retries.js';

const away = () => new ProfGenError('image/unreachable', 'away', { retryable: true });

async function attempts(failures: readonly Error[], delays: readonly number[] = [1, 10, 100]) {
  const seen: unknown[] = [];
  const result = await withRetries(
    (attempt) => {
      const failure = failures[attempt - 1];
      return failure === undefined ? Promise.resolve(`attempt ${attempt}`) : Promise.reject(failure);
    },
    {
      delays,
      onRetry: ({ code }, delay, attempt) => seen.push([code, delay, attempt]),
      wait: () => Promise.resolve(),
    },
  ).catch((error: Error) => error.message);
  return { result, seen };
}

describe('work that is done again', () => {
  it('is not, when it succeeds', async () => {
    expect(await attempts([])).toEqual({ result: 'attempt 1', seen: [] });
  });

  it('waits longer each time', async () => {
    expect(await attempts([away(), away()])).toEqual({
      result: 'attempt 3',
      seen: [
        ['image/unreachable', 1, 1],
        ['image/unreachable', 10, 2],
      ],
    });
  });

  it('fails with the last failure, and at once with one that will not pass', async () => {
    expect((await attempts([away(), away(), away(), away(), away()])).seen).toHaveLength(3);
    expect(await attempts([new ProfGenError('image/not-found', 'gone')])).toEqual({
      result: 'gone',
      seen: [],
    });
    expect(await attempts([new TypeError('a defect')])).toEqual({ result: 'a defect', seen: [] });
  });

  it('ends its wait when it is interrupted', async () => {
    const interruption = new AbortController();
    const work = withRetries(() => Promise.reject(away()), {
      delays: [60_000],
      onRetry: () => interruption.abort(),
      signal: interruption.signal,
    });
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
  });
});
