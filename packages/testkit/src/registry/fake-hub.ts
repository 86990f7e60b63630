import { type FakeServer, startFakeServer } from './fake-server.js';

export interface FakeHubTag {
  readonly name: string;
  /** ISO 8601. */
  readonly pushed: string;
  /** `linux/amd64`; default that alone. */
  readonly platforms?: readonly string[];
}

export interface FakeHub extends FakeServer {
  /** A repository of the namespace `library`. */
  add(name: string, facts?: { pulls?: number; categories?: string[]; tags?: FakeHubTag[] }): void;
}

/** Docker Hub's API in this process, as far as a crawl asks it: repositories and tags, in pages. */
export async function startFakeHub(): Promise<FakeHub> {
  const repositories = new Map<string, Parameters<FakeHub['add']>[1]>();
  const server = await startFakeServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${server.host}`);
    const tags = /^\/v2\/repositories\/library\/([^/]+)\/tags\/$/.exec(url.pathname)?.[1];
    const results =
      url.pathname === '/v2/repositories/library/'
        ? [...repositories].map(([name, facts]) => ({
            name,
            namespace: 'library',
            pull_count: facts?.pulls ?? 0,
            categories: (facts?.categories ?? []).map((category) => ({ name: category, slug: category })),
          }))
        : repositories.get(tags ?? '')?.tags?.map(({ name, pushed, platforms = ['linux/amd64'] }) => ({
            name,
            last_updated: pushed,
            images: platforms.map((platform) => {
              const [os, architecture] = platform.split('/');
              return { os, architecture };
            }),
          }));
    if (results === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"object not found"}');
      return;
    }
    const size = Number(url.searchParams.get('page_size') ?? 10);
    const page = Number(url.searchParams.get('page') ?? 1);
    const next = new URL(url);
    next.searchParams.set('page', String(page + 1));
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        count: results.length,
        next: page * size < results.length ? next.href : null,
        results: results.slice((page - 1) * size, page * size),
      }),
    );
  });
  return Object.assign(server, {
    add(name: string, facts: Parameters<FakeHub['add']>[1] = {}): void {
      repositories.set(name, facts);
    },
  });
}
