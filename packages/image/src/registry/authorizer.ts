import { ProfGenError, printable } from '@prof-gen/core';
import { type Challenge, parseChallenge } from './challenge.js';
import type { Credentials } from './credentials.js';
import { isAllowed } from './endpoint.js';
import { type Answer, answerError, type Transport } from './transport.js';

/** Gives requests to one registry their `Authorization`, and learns from its challenges. */
export interface Authorizer {
  /** What to send now: what the last challenge led to, nothing before the first. */
  current(): string | undefined;
  /**
   * Answers a 401 that came although `sent` was sent.
   * @returns what to send instead, undefined when there is nothing better
   * @throws ProfGenError `registry/*`
   */
  challenged(header: string | null, sent: string | undefined): Promise<string | undefined>;
}

const tokenBytes = 1024 * 1024;
/** Seconds a token is good for when its server does not say (distribution, token.md). */
const defaultLife = 60;

function basic(credentials: Credentials & { type: 'basic' }): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

/**
 * @param endpoint of the registry the credentials belong to
 * @param scope what the token has to allow, such as `repository:library/nginx:pull`
 */
export function authorizer(
  endpoint: URL,
  scope: string,
  credentials: () => Promise<Credentials | undefined>,
  net: Transport,
): Authorizer {
  let authorization: string | undefined;
  let goodUntil = Number.POSITIVE_INFINITY;
  let pending: Promise<string | undefined> | undefined;

  async function answer(challenge: Challenge): Promise<string | undefined> {
    const known = await credentials();
    goodUntil = Number.POSITIVE_INFINITY;
    if (known?.type === 'registry-token') return `Bearer ${known.token}`;
    if (challenge.scheme === 'basic') return known?.type === 'basic' ? basic(known) : undefined;
    return token(challenge, known);
  }

  async function token(
    challenge: Challenge & { scheme: 'bearer' },
    known: Exclude<Credentials, { type: 'registry-token' }> | undefined,
  ): Promise<string> {
    // The registry decides who hands out its tokens, and the secret is for that one; never without TLS.
    const realm = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
    if (realm === undefined || !isAllowed(realm, endpoint)) {
      throw new ProfGenError(
        'registry/bad-challenge',
        `${endpoint.host} sends to ${printable(challenge.realm)} for a token`,
        {
          hint: 'tokens are asked for by https only: something between you and the registry is wrong',
        },
      );
    }
    const parameters = new URLSearchParams({ scope: challenge.scope ?? scope });
    if (challenge.service !== undefined) parameters.set('service', challenge.service);
    const text = `a token for ${challenge.scope ?? scope}`;
    const bytes = await net.retrying(async () => {
      let response: Answer;
      if (known?.type === 'identity-token') {
        // OAuth 2.0 refresh (distribution, oauth.md).
        parameters.set('grant_type', 'refresh_token');
        parameters.set('client_id', 'prof-gen');
        parameters.set('refresh_token', known.token);
        response = await net.send({
          url: realm,
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: parameters.toString(),
        });
      } else {
        const url = new URL(realm);
        for (const [name, value] of parameters) url.searchParams.set(name, value);
        response = await net.send({ url, ...(known === undefined ? {} : { authorization: basic(known) }) });
      }
      if (response.status !== 200) throw await answerError(response, realm.host, text);
      return response.bytes(tokenBytes);
    });
    const { value, life } = readToken(bytes, realm.host);
    // A little early, so that it does not run out on the way.
    goodUntil = Date.now() + Math.max(life - 10, 5) * 1000;
    return `Bearer ${value}`;
  }

  return {
    current() {
      if (Date.now() > goodUntil) authorization = undefined;
      return authorization;
    },
    async challenged(header, sent) {
      // Several layers ask at once; one answer serves them all.
      if (authorization !== undefined && authorization !== sent) return authorization;
      const challenge = parseChallenge(header ?? '');
      if (challenge === undefined) return undefined;
      pending ??= answer(challenge).finally(() => {
        pending = undefined;
      });
      authorization = await pending;
      return authorization;
    },
  };
}

function readToken(bytes: Uint8Array, host: string): { value: string; life: number } {
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } = {};
  try {
    answer = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof answer;
  } catch {
    // Said below.
  }
  const value = answer?.token ?? answer?.access_token;
  // What goes into a header must not end it.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ProfGenError('registry/bad-token', `${host} gave no token`, {
      hint: 'try again, or log in with `docker login`',
    });
  }
  const life = answer.expires_in;
  return { value, life: typeof life === 'number' && life > 0 ? life : defaultLife };
}
