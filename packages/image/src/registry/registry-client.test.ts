import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildLayer,
  type FakeRegistry,
  fixtureImage,
  type Misbehaviour,
  reply,
  startFakeRegistry,
} from '@prof-gen/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenedImage, openImage } from '../open-image.js';
import type { RegistryOptions } from './registry-options.js';

const layer = buildLayer([{ name: 'bin/tool', content: Buffer.alloc(300_000, 'x'), mode: 0o755 }]);
const image = fixtureImage({ layers: [layer], compressions: ['none'] });
const blob = image.blobs[0] as (typeof image.blobs)[number];
const blobPath = `/v2/app/blobs/${blob.digest}`;

let directory: string;
let registry: FakeRegistry;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-registry-'));
  registry = await startFakeRegistry();
  registry.add('app', '1', image);
});

afterEach(async () => {
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(
  options: RegistryOptions = {},
  reference = `registry:${registry.host}/app:1`,
): Promise<OpenedImage> {
  return openImage(reference, {
    cache: join(directory, 'cache'),
    registry: { dockerConfig: directory, firstPause: 1, silence: 1000, ...options },
  });
}

function logIn(host: string, entry: Record<string, unknown>): void {
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths: { [host]: entry } }));
}

const auth = Buffer.from('user:secret').toString('base64');

/** Misbehaves for the first `times` requests of a path that ends so. */
function first(times: number, end: string, act: (response: ServerResponse) => true): Misbehaviour {
  return (request, response, count) =>
    request.url?.endsWith(end) === true && count <= times ? act(response) : false;
}

describe('a registry that misbehaves', () => {
  it.each([
    ['429 with Retry-After', (r: ServerResponse) => reply(r, 429, { 'retry-after': '0' })],
    ['500', (r: ServerResponse) => reply(r, 500)],
    [
      'a connection cut off',
      (r: ServerResponse): true => {
        r.destroy();
        return true;
      },
    ],
  ])('%s is tried again', async (_, act) => {
    registry.misbehave = first(2, '', act);
    await expect(open()).resolves.toMatchObject({ digest: image.manifest.digest });
  });

  it.each([
    ['401 without end', 401, { 'www-authenticate': 'Basic realm="x"' }, 'registry/unauthorized'],
    ['403', 403, {}, 'registry/denied'],
    ['404', 404, {}, 'image/not-found'],
    ['429 without end', 429, {}, 'registry/rate-limited'],
    ['429 for too long', 429, { 'retry-after': '3600' }, 'registry/rate-limited'],
    ['503 without end', 503, {}, 'registry/failed'],
    ['a redirect to plain http', 307, { location: 'http://registry.example/x' }, 'registry/bad-redirect'],
    ['a redirect to a file', 307, { location: 'file:///etc/passwd' }, 'registry/bad-redirect'],
    ['redirects in a circle', 307, { location: '/v2/app/manifests/1' }, 'registry/bad-redirect'],
    [
      'a token server without TLS',
      401,
      { 'www-authenticate': 'Bearer realm="http://t.example/"' },
      'registry/bad-challenge',
    ],
  ])('%s ends with an error', async (_, status, headers, code) => {
    logIn(registry.host, { auth });
    registry.misbehave = (_request, response) => reply(response, status, headers);
    await expect(open()).rejects.toMatchObject({ code, name: 'ProfGenError' });
    expect(registry.seen.length).toBeLessThan(12);
  });

  it('silence ends', async () => {
    registry.misbehave = () => true;
    await expect(open({ silence: 50, attempts: 2 })).rejects.toMatchObject({ code: 'registry/silent' });
  });

  it('401 after 401 of a token server is bounded', async () => {
    registry.misbehave = (request, response) =>
      request.url?.startsWith('/token') === true
        ? reply(response, 200, {}, '{"token":"never-enough"}')
        : reply(response, 401, {
            'www-authenticate': `Bearer realm="http://${registry.host}/token",service="s"`,
          });
    await expect(open()).rejects.toMatchObject({ code: 'registry/unauthorized' });
    expect(registry.seen.length).toBeLessThan(8);
  });

  it('a download goes on where it was cut off', async () => {
    registry.misbehave = first(2, blobPath, (response) => {
      response.writeHead(200, { 'content-length': blob.bytes.length });
      response.write(blob.bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 30));
      return true;
    });
    await open();
    const ranges = registry.seen.filter(({ path }) => path === blobPath).map(({ range }) => range);
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('a corrupted blob is asked for once more, and twice is an error', async () => {
    const corrupt = (response: ServerResponse): true => {
      response.writeHead(200).end(Buffer.alloc(blob.bytes.length, 1));
      return true;
    };
    registry.misbehave = first(2, blobPath, corrupt);
    await expect(open()).rejects.toMatchObject({ code: 'registry/digest-mismatch' });
    await expect(open()).resolves.toMatchObject({ digest: image.manifest.digest });
  });

  it('a blob that never ends is cut, one too short is an error', async () => {
    registry.misbehave = first(9, blobPath, (response) => {
      response.writeHead(200).end(Buffer.alloc(blob.bytes.length + 1));
      return true;
    });
    await expect(open()).rejects.toMatchObject({ code: 'registry/size-mismatch' });
    registry.misbehave = first(99, blobPath, (response) => {
      response.writeHead(200).end();
      return true;
    });
    await expect(open()).rejects.toMatchObject({ code: 'registry/cut-off' });
  });

  it('a manifest that is not what its digest says', async () => {
    registry.misbehave = first(99, image.manifest.digest, (response) => {
      response.end('{}');
      return true;
    });
    await expect(open()).rejects.toMatchObject({ code: 'registry/digest-mismatch' });
  });
});

describe('credentials', () => {
  const wantBasic: Misbehaviour = (request, response) =>
    request.headers.authorization === `Basic ${auth}`
      ? false
      : reply(response, 401, { 'www-authenticate': 'Basic realm="x"' });

  it('go to their own registry, after it asked', async () => {
    logIn(registry.host, { auth });
    registry.misbehave = wantBasic;
    await open();
    expect(registry.seen[0]?.authorization).toBeUndefined();
  });

  it('of another registry are not sent', async () => {
    logIn('127.0.0.1:1', { auth });
    registry.misbehave = wantBasic;
    await expect(open()).rejects.toMatchObject({ code: 'registry/unauthorized' });
    expect(registry.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('do not follow a redirect to another host', async () => {
    const other = await startFakeRegistry();
    other.add('app', '1', image);
    logIn(registry.host, { auth });
    registry.misbehave = (request, response, count) => {
      if (wantBasic(request, response, count)) return true;
      if (request.url !== blobPath) return false;
      return reply(response, 307, { location: `http://${other.host}${blobPath}` });
    };
    try {
      await open();
      expect(other.seen).toEqual([
        { method: 'GET', path: blobPath, authorization: undefined, range: undefined },
      ]);
    } finally {
      await other.close();
    }
  });

  it('buy a token, once', async () => {
    logIn(registry.host, { username: 'user', password: 'secret' });
    registry.misbehave = (request, response) => {
      const { authorization } = request.headers;
      if (request.url?.startsWith('/token') === true) {
        const right =
          authorization === `Basic ${auth}` && request.url.includes('scope=repository%3Aapp%3Apull');
        return reply(response, right ? 200 : 401, {}, '{"access_token":"good","expires_in":300}');
      }
      const realm = `Bearer realm="http://${registry.host}/token",service="s",scope="repository:app:pull"`;
      return authorization === 'Bearer good' ? false : reply(response, 401, { 'www-authenticate': realm });
    };
    await open();
    expect(registry.seen.filter(({ path }) => path.startsWith('/token')).length).toBeLessThanOrEqual(2);
  });

  it('a broken helper does not stop what needs no login', async () => {
    writeFileSync(join(directory, 'config.json'), '{"credsStore":"does-not-exist-here"}');
    await expect(open()).resolves.toBeDefined();
    registry.misbehave = wantBasic;
    rmSync(join(directory, 'cache'), { recursive: true });
    await expect(open()).rejects.toMatchObject({ causes: [{ code: 'environment/credential-helper' }] });
  });
});

it('what is pinned by digest and in the cache asks nobody', async () => {
  await open();
  const before = registry.seen.length;
  const again = await open({}, `registry:${registry.host}/app@${image.manifest.digest}`);
  expect(again.digest).toBe(image.manifest.digest);
  expect(registry.seen.length).toBe(before);
});
