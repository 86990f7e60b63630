import { ProfGenError, type RegistryReference } from '@prof-gen/core';
import { authorizer } from './authorizer.js';
import { type Credentials, credentialsFor } from './credentials.js';
import { endpointOf } from './endpoint.js';
import type { RegistryOptions } from './registry-options.js';
import { type Answer, answerError, type Request, type Transport } from './transport.js';

export interface AuthorizedRequest extends Omit<Request, 'url' | 'authorization'> {
  /** Below the repository, such as `blobs/sha256:…`, or an address of the same registry. */
  readonly path: string | URL;
  /** Names it in errors. */
  readonly what: string;
  /** Statuses beside success that the caller understands. */
  readonly also?: readonly number[];
}

/** Requests to one repository of a registry, with what `docker login` stored. */
export interface AuthorizedRegistry {
  readonly host: string;
  /** The repository's address, with a slash at the end. */
  readonly base: URL;
  /** @throws ProfGenError `image/not-found`, `registry/*` */
  send(request: AuthorizedRequest): Promise<Answer>;
}

/** @param actions that tokens must allow, such as `pull,push` */
export function authorizedRegistry(
  name: Pick<RegistryReference, 'registry' | 'repository'>,
  actions: string,
  net: Transport,
  { dockerConfig }: RegistryOptions,
  warn: (error: ProfGenError) => void,
): AuthorizedRegistry {
  const endpoint = endpointOf(name.registry);
  const base = new URL(`v2/${name.repository}/`, endpoint);
  const credentialErrors: unknown[] = [];
  let known: Promise<Credentials | undefined> | undefined;
  // A broken helper must not stop what needs no login; if the registry insists, its error tells of it.
  const credentials = (): Promise<Credentials | undefined> => {
    known ??= credentialsFor(name.registry, dockerConfig).catch((thrown: unknown) => {
      credentialErrors.push(thrown);
      if (thrown instanceof ProfGenError) warn(thrown);
      return undefined;
    });
    return known;
  };
  const access = authorizer(endpoint, `repository:${name.repository}:${actions}`, credentials, net);
  return {
    host: endpoint.host,
    base,
    /** One request with at most two answers to a challenge: a registry that never has enough ends with its 401. */
    async send({ path, what, also = [], ...request }) {
      const url = new URL(path, base);
      let authorization = access.current();
      for (let round = 0; ; round += 1) {
        const answer = await net.send({
          ...request,
          url,
          ...(authorization === undefined ? {} : { authorization }),
        });
        if (answer.status === 401 && round < 2) {
          const next = await access.challenged(answer.headers.get('www-authenticate'), authorization);
          if (next !== undefined && next !== authorization) {
            await answer.discard();
            authorization = next;
            continue;
          }
        }
        if ((answer.status >= 200 && answer.status < 300) || also.includes(answer.status)) return answer;
        throw await answerError(answer, endpoint.host, `${name.repository} ${what}`, credentialErrors);
      }
    },
  };
}
