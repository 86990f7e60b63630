import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FixtureImage } from '../image/fixture-image.js';

export interface SeenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Handles a request itself by returning true. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;

export interface FakeRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly seen: readonly SeenRequest[];
  /** Asked before each request; `count` is how often its path was asked for, this time included. */
  misbehave: Misbehaviour | undefined;
  add(repository: string, tag: string, image: FixtureImage): void;
  close(): Promise<void>;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

/** A registry in this process that holds fixtures and does whatever a test wants it to. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const contents = new Map<string, { bytes: Uint8Array; type: string; digest: string }>();
  const seen: SeenRequest[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const { authorization, range } = request.headers;
    seen.push({ path, authorization, range });
    if (registry.misbehave?.(request, response, count) === true) return;
    const found = contents.get(path);
    if (found === undefined) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const headers = { 'content-type': found.type, 'docker-content-digest': found.digest };
    const bytes = found.bytes.subarray(from);
    const resumed = { 'content-range': `bytes ${from}-${found.bytes.length - 1}/${found.bytes.length}` };
    response.writeHead(from > 0 ? 206 : 200, {
      ...headers,
      ...(from > 0 ? resumed : {}),
      'content-length': bytes.length,
    });
    response.end(bytes);
  });
  const registry: FakeRegistry = {
    host: await listen(server),
    seen,
    misbehave: undefined,
    add(repository, tag, image) {
      const put = (path: string, { bytes, mediaType, digest }: FixtureImage['manifest']): void => {
        contents.set(`/v2/${repository}/${path}`, { bytes, type: mediaType, digest });
      };
      put(`manifests/${tag}`, image.index);
      put(`manifests/${image.index.digest}`, image.index);
      put(`manifests/${image.manifest.digest}`, image.manifest);
      for (const blob of image.blobs) put(`blobs/${blob.digest}`, blob);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return registry;
}
