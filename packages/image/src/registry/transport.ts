import { setTimeout as sleep } from 'node:timers/promises';
import { ProfGenError, printable } from '@prof-gen/core';
import { isAllowed } from './endpoint.js';
import { statusError, unreachable } from './registry-error.js';
import type { RegistryOptions } from './registry-options.js';

export interface Request {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the host of `url` only, never along a redirect to another. */
  readonly authorization?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body, once. A silence longer than the limit ends it with an error. */
  body(): AsyncGenerator<Uint8Array>;
  /** At most `limit` bytes of it. @throws ProfGenError `archive/too-large` */
  bytes(limit: number): Promise<Uint8Array>;
  /** Not interested in the rest. */
  discard(): Promise<void>;
}

const maxRedirects = 5;
const errorBytes = 64 * 1024;

/** A connection that broke or fell silent, or a pause that a registry asked for: worth another try. */
function isRetryable(thrown: unknown): boolean {
  return thrown instanceof ProfGenError && thrown.retryable;
}

/** An answer with status 429, as `answerError` makes it. */
function isRefusal(
  thrown: unknown,
): thrown is ProfGenError & { readonly details: { readonly host: string } } {
  return (
    thrown instanceof ProfGenError &&
    thrown.details?.['status'] === 429 &&
    typeof thrown.details['host'] === 'string'
  );
}

export interface Transport {
  /** One request, redirects followed, no retries. */
  send(request: Request): Promise<Answer>;
  /**
   * Runs `work` until it succeeds, fails for good, or has failed too often; pauses in between, as long
   * as the registry asks. `progressed` tells that the last try got further, so that tries count anew.
   */
  retrying<T>(work: () => Promise<T>, progressed?: () => boolean): Promise<T>;
}

export function transport(options: RegistryOptions, signal: AbortSignal | undefined): Transport {
  const attempts = options.attempts ?? 5;
  const silence = options.silence ?? 30_000;
  const longestWait = options.longestWait ?? 60_000;
  const firstPause = options.firstPause ?? 500;

  async function send(request: Request): Promise<Answer> {
    const { authorization: first, ...rest } = request;
    let { url } = request;
    let authorization = first;
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const answer = await sendOnce({
        ...rest,
        url,
        ...(authorization === undefined ? {} : { authorization }),
      });
      if (![301, 302, 303, 307, 308].includes(answer.status)) return answer;
      await answer.discard();
      const location = answer.headers.get('location');
      const next =
        location === null || !URL.canParse(location, url.href) ? undefined : new URL(location, url.href);
      if (next === undefined || !isAllowed(next, url)) {
        throw new ProfGenError(
          'registry/bad-redirect',
          `${url.host} sends elsewhere, to ${printable(location ?? 'nowhere')}`,
          {
            hint: 'redirects are followed to https only: something between you and the registry is wrong',
          },
        );
      }
      if (request.method !== undefined && request.method !== 'GET' && request.method !== 'HEAD') {
        throw new ProfGenError(
          'registry/bad-redirect',
          `${url.host} redirects a request that carries a secret or content`,
        );
      }
      if (next.origin !== url.origin) authorization = undefined;
      url = next;
    }
    throw new ProfGenError(
      'registry/bad-redirect',
      `${request.url.host} redirects more than ${maxRedirects} times`,
    );
  }

  async function sendOnce({ url, method, headers, authorization, body }: Request): Promise<Answer> {
    signal?.throwIfAborted();
    await options.pace?.before(url.host, method ?? 'GET', signal);
    const stop = new AbortController();
    const silent = new ProfGenError('registry/silent', `${url.host} said nothing for ${silence / 1000} s`, {
      hint: 'check your connection, and try again',
      retryable: true,
    });
    let timer: NodeJS.Timeout | undefined;
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(silent), silence);
    };
    const failure = (thrown: unknown): unknown => {
      clearTimeout(timer);
      signal?.throwIfAborted();
      if (stop.signal.aborted) return stop.signal.reason;
      return thrown instanceof ProfGenError ? thrown : unreachable(url.host, thrown);
    };
    heard();
    let response: Response;
    try {
      response = await fetch(url.href, {
        method: method ?? 'GET',
        redirect: 'manual',
        signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]),
        headers: {
          'user-agent': 'prof-gen',
          // Digests are those of the bytes as stored.
          'accept-encoding': 'identity',
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body }),
      });
    } catch (thrown) {
      throw failure(thrown);
    }
    heard();
    options.pace?.after(url.host, response.status, response.headers);

    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        if (response.body === null) return;
        heard();
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          clearTimeout(timer);
          yield chunk;
          heard();
        }
      } catch (thrown) {
        throw failure(thrown);
      } finally {
        clearTimeout(timer);
      }
    }
    // Until the body is read nobody waits for it, and a reader that is slow is not a silence.
    clearTimeout(timer);
    return {
      status: response.status,
      headers: response.headers,
      body: chunks,
      async bytes(limit) {
        const parts: Uint8Array[] = [];
        let size = 0;
        for await (const chunk of chunks()) {
          size += chunk.length;
          if (size > limit) {
            throw new ProfGenError('archive/too-large', `${url.host} sends more than ${limit} bytes`, {
              hint: 'an answer of this kind is never so long: check the name of the registry',
            });
          }
          parts.push(chunk);
        }
        return Buffer.concat(parts, size);
      },
      async discard() {
        await response.body?.cancel().catch(() => {});
      },
    };
  }

  async function retrying<T>(work: () => Promise<T>, progressed: () => boolean = () => false): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (thrown) {
        signal?.throwIfAborted();
        if (progressed()) attempt = 1;
        const asked = thrown instanceof ProfGenError ? Number(thrown.details?.['retryAfter'] ?? 0) : 0;
        if (isRefusal(thrown) && options.pace?.refused(thrown.details.host, asked) === true) {
          attempt -= 1;
          continue;
        }
        if (!isRetryable(thrown) || attempt >= attempts) throw thrown;
        if (asked > longestWait) throw thrown;
        await sleep(
          Math.max(asked, firstPause * 2 ** (attempt - 1)),
          undefined,
          signal === undefined ? {} : { signal },
        );
      }
    }
  }

  return { send, retrying };
}

/** The error for an answer that is no success; `Retry-After` (seconds, or a date) goes along in milliseconds. */
export async function answerError(
  answer: Answer,
  host: string,
  text: string,
  causes: readonly unknown[] = [],
): Promise<ProfGenError> {
  const body = await answer.bytes(errorBytes).then(
    (bytes) => Buffer.from(bytes).toString('utf8'),
    () => '',
  );
  const error = statusError(answer.status, host, text, body, causes);
  const after = answer.headers.get('retry-after');
  const retryAfter = after === null ? 0 : milliseconds(after);
  if (retryAfter === 0) return error;
  return new ProfGenError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.retryable,
    details: { ...error.details, retryAfter },
    causes,
  });
}

function milliseconds(after: string): number {
  if (/^\d{1,9}$/.test(after.trim())) return Number(after) * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}
