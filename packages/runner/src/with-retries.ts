import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorData, errorData } from '@prof-gen/core';

export interface Retries {
  /** Milliseconds before each new attempt: as many as there are. */
  readonly delays: readonly number[];
  /** Told before the wait. */
  readonly onRetry: (error: ErrorData, delay: number, attempt: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Waits; for tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** An engine that starts again or a registry that is away is back within these, or stays away. Two and a half minutes in all. */
export const retryDelays: readonly number[] = [5_000, 25_000, 120_000];

/**
 * Does `work` again, after longer and longer waits, while it fails with what may pass (`retryable`). Anything else, an
 * interruption and the last failure are thrown as they are.
 */
export async function withRetries<T>(work: (attempt: number) => Promise<T>, retries: Retries): Promise<T> {
  const { delays, onRetry, signal } = retries;
  const wait = retries.wait ?? ((milliseconds) => sleep(milliseconds, undefined, { signal }));
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const delay = delays[attempt - 1];
      const data = errorData(error);
      if (delay === undefined || data.retryable !== true || signal?.aborted) throw error;
      onRetry(data, delay, attempt);
      await wait(delay);
    }
  }
}
