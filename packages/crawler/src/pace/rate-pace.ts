import { setTimeout as sleepFor } from 'node:timers/promises';
import { ProfGenError } from '@prof-gen/core';
import type { Pace } from '@prof-gen/image';

export interface RatePaceOptions {
  /** Told of what is left, and of each pause. */
  readonly note: (host: string, message: string) => void;
  /** Milliseconds that may be waited for one host without an answer in between. Docker Hub's window is six hours. */
  readonly longest?: number;
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** What is known of one host. Times are in milliseconds since 1970, 0 for none. */
interface HostState {
  /** Until then nothing is sent: a 429. */
  closedUntil: number;
  /** Until then no GET is sent: nothing is left. HEAD is free of charge. */
  exhaustedUntil: number;
  /** When what is left is restored, as far as the host says. */
  resetAt: number;
  /** Time between two requests that the limit allows in the long run. */
  interval: number;
  /** Tenths of the limit that were told of last. */
  toldTenths: number;
  refusals: number;
  refusedSince: number;
}

const minute = 60_000;
const hour = 60 * minute;

/** `76;w=21600` of `ratelimit-remaining`, or a number alone. */
function readShare(header: string | null): { count: number; window: number } | undefined {
  const match = /^\s*(\d{1,12})\s*(?:;\s*w=(\d{1,9}))?/.exec(header ?? '');
  if (match === null) return undefined;
  return { count: Number(match[1]), window: Number(match[2] ?? 0) * 1000 };
}

/** When the limit is restored: seconds from now (IETF draft ratelimit-headers) or since 1970 (Docker Hub's API). */
function readReset(headers: Headers, now: number): number {
  const ahead = /^\d{1,9}$/.exec(headers.get('ratelimit-reset')?.trim() ?? '')?.[0];
  if (ahead !== undefined) return now + Number(ahead) * 1000;
  const at = /^\d{10}$/.exec(headers.get('x-ratelimit-reset')?.trim() ?? '')?.[0];
  return at === undefined ? 0 : Number(at) * 1000;
}

/** `3 min 20 s`. */
function span(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return shown.length === 0 ? '0 s' : shown.join(' ');
}

const clock = (time: number): string => `${new Date(time).toISOString().slice(11, 19)} UTC`;

/**
 * Keeps to what hosts say of their limits: Docker Hub's `ratelimit-remaining`, its API's `x-ratelimit-remaining` and
 * `x-ratelimit-reset`, and `Retry-After` (docs.docker.com/docker-hub/usage/pulls, …/reference/api/hub).
 */
export function ratePace(options: RatePaceOptions): Pace {
  const { note, longest = 6.5 * hour, now = Date.now } = options;
  const sleep =
    options.sleep ??
    (async (milliseconds, signal) => {
      await sleepFor(milliseconds, undefined, signal === undefined ? {} : { signal });
    });
  const hosts = new Map<string, HostState>();
  const stateOf = (host: string): HostState => {
    let state = hosts.get(host);
    if (state === undefined) {
      state = {
        closedUntil: 0,
        exhaustedUntil: 0,
        resetAt: 0,
        interval: 0,
        toldTenths: 11,
        refusals: 0,
        refusedSince: 0,
      };
      hosts.set(host, state);
    }
    return state;
  };
  const pause = (host: string, why: string, until: number): void => {
    note(host, `${why}; goes on at ${clock(until)}, in ${span(until - now())}`);
  };

  return {
    async before(host, method, signal) {
      const state = stateOf(host);
      for (;;) {
        const until = Math.max(state.closedUntil, method === 'HEAD' ? 0 : state.exhaustedUntil);
        const wait = until - now();
        if (wait <= 0) return;
        if (wait > longest) {
          throw new ProfGenError(
            'registry/rate-limited',
            `${host} allows no more requests for ${span(wait)}`,
            {
              hint: 'log in with `docker login` for a higher limit, or run the command again later: it goes on here',
              retryable: true,
            },
          );
        }
        await sleep(wait, signal);
      }
    },
    after(host, status, headers) {
      const state = stateOf(host);
      const time = now();
      if (status < 400) state.refusals = 0;
      const limit = readShare(headers.get('ratelimit-limit') ?? headers.get('x-ratelimit-limit'));
      const left = readShare(headers.get('ratelimit-remaining') ?? headers.get('x-ratelimit-remaining'));
      if (left === undefined) return;
      state.resetAt = readReset(headers, time);
      if (limit !== undefined && limit.count > 0) {
        state.interval = limit.window / limit.count;
        const tenths = Math.ceil((left.count / limit.count) * 10);
        if (tenths < state.toldTenths) note(host, `${left.count} of ${limit.count} requests left`);
        state.toldTenths = tenths;
      }
      if (left.count > 0) {
        state.exhaustedUntil = 0;
      } else if (status !== 429 && state.exhaustedUntil <= time) {
        // A sliding window does not say when it moves on: one request's time, then the next answer tells.
        state.exhaustedUntil = state.resetAt > time ? state.resetAt : time + Math.max(state.interval, 1000);
        pause(host, 'no requests left', state.exhaustedUntil);
      }
    },
    refused(host, retryAfter) {
      const state = stateOf(host);
      const time = now();
      // Of several that were under way at once, the first counts.
      if (state.closedUntil > time) return true;
      if (state.refusals === 0) state.refusedSince = time;
      state.refusals += 1;
      const guess = Math.max(state.interval, Math.min(1000 * 2 ** state.refusals, 5 * minute));
      const told = retryAfter > 0 ? retryAfter : state.resetAt - time;
      const until = time + (told > 0 ? told : guess);
      if (until - state.refusedSince > longest) return false;
      state.closedUntil = until;
      pause(host, 'too many requests', until);
      return true;
    },
  };
}

/** Lets nothing through. */
export function offlinePace(): Pace {
  return {
    before(host) {
      return Promise.reject(
        new ProfGenError('registry/offline', `${host} was not asked: --offline`, {
          hint: 'run the command once without --offline',
          retryable: true,
        }),
      );
    },
    after() {},
    refused: () => false,
  };
}
