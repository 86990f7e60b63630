import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Handles a request itself by returning true. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;

/** A whole answer, for a `Misbehaviour`. */
export function reply(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body = '',
): true {
  response.writeHead(status, headers).end(body);
  return true;
}

/** A server in this process that does whatever a test wants it to. */
export interface FakeServer {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly seen: readonly SeenRequest[];
  /** Asked before each request; `count` is how often its path was asked for, this time included. */
  misbehave: Misbehaviour | undefined;
  close(): Promise<void>;
}

export async function startFakeServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FakeServer> {
  const seen: SeenRequest[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const { authorization, range } = request.headers;
    seen.push({ method: request.method ?? '', path, authorization, range });
    if (fake.misbehave?.(request, response, count) !== true) answer(request, response);
  });
  const host = await new Promise<string>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
  const fake: FakeServer = {
    host,
    seen,
    misbehave: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}
