import type { FixtureImage } from '../image/fixture-image.js';
import { type FakeServer, startFakeServer } from './fake-server.js';

export interface FakeRegistry extends FakeServer {
  add(repository: string, tag: string, image: FixtureImage): void;
}

/** A registry in this process that holds fixtures and does whatever a test wants it to. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const contents = new Map<string, { bytes: Uint8Array; type: string; digest: string }>();
  const server = await startFakeServer((request, response) => {
    const found = contents.get(request.url ?? '');
    if (found === undefined) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
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
  return Object.assign(server, {
    add(repository: string, tag: string, image: FixtureImage): void {
      const put = (path: string, { bytes, mediaType, digest }: FixtureImage['manifest']): void => {
        contents.set(`/v2/${repository}/${path}`, { bytes, type: mediaType, digest });
      };
      put(`manifests/${tag}`, image.index);
      put(`manifests/${image.index.digest}`, image.index);
      put(`manifests/${image.manifest.digest}`, image.manifest);
      for (const blob of image.blobs) put(`blobs/${blob.digest}`, blob);
    },
  });
}
