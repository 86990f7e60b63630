import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OfficialDataset, type ProgressEvent, renderOfficialDataset } from '@prof-gen/core';
import {
  buildLayer,
  type FakeHub,
  type FakeRegistry,
  type FixtureImage,
  fixtureImage,
  reply,
  startFakeHub,
  startFakeRegistry,
} from '@prof-gen/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CrawlOptions, type CrawlResult, crawlOfficial } from './crawl-official.js';

let directory: string;
let hub: FakeHub;
let registry: FakeRegistry;
let events: ProgressEvent[];

const imageOf = (name: string, config: Record<string, unknown> = {}): FixtureImage =>
  fixtureImage({
    layers: [buildLayer([{ name: 'etc/name', content: name }])],
    config: { Cmd: [name], ...config },
  });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-crawl-'));
  [hub, registry] = await Promise.all([startFakeHub(), startFakeRegistry()]);
  events = [];
  // Sorted in neither way.
  for (const [i, name] of ['nginx', 'alpine', 'redis'].entries()) {
    hub.add(name, { pulls: 1000 + i, categories: ['Some'] });
    registry.add(`library/${name}`, 'latest', imageOf(name));
  }
});

afterEach(async () => {
  await Promise.all([hub.close(), registry.close()]);
  rmSync(directory, { recursive: true, force: true });
});

function crawl(options: Partial<CrawlOptions> = {}): Promise<CrawlResult> {
  return crawlOfficial({
    cache: join(directory, 'cache'),
    date: '2026-08-21',
    hub: new URL(`http://${hub.host}/`),
    mirror: registry.host,
    only: [],
    offline: false,
    withLayers: false,
    partial: false,
    restart: false,
    jobs: 3,
    registry: { dockerConfig: directory, firstPause: 1, silence: 20_000 },
    onEvent: (event) => events.push(event),
    ...options,
  });
}

const text = ({ dataset }: CrawlResult): string => renderOfficialDataset(dataset as OfficialDataset);
const named = ({ dataset }: CrawlResult, name: string) =>
  dataset?.images.find((image) => image.name === name);
const notes = (): string[] => events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
const gets = (): string[] =>
  registry.seen.filter(({ method }) => method === 'GET').map(({ path }) => path.replace('/v2/library/', ''));

function library(files: Record<string, string>): string {
  mkdirSync(join(directory, 'official/library'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(
      join(directory, 'official/library', name),
      `Maintainers: A (@a)\nGitRepo: https://example.org/${name}.git\nGitCommit: ab\n${content}`,
    );
  }
  return join(directory, 'official');
}

describe('a crawl', () => {
  it('pins every repository and says what its config says', async () => {
    const config = {
      Entrypoint: ['/entry'],
      Cmd: ['serve'],
      Env: ['B=2', 'A=1'],
      ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      User: '999',
      StopSignal: 'SIGQUIT',
      Healthcheck: { Test: ['CMD', 'ok'] },
    };
    const image = imageOf('nginx', config);
    registry.add('library/nginx', 'latest', image);
    const result = await crawl();
    expect(result.dataset?.images.map(({ name }) => name)).toEqual(['alpine', 'nginx', 'redis']);
    expect(named(result, 'nginx')).toEqual({
      name: 'nginx',
      state: 'active',
      categories: ['Some'],
      pulls: { '2026-08-21': 1000 },
      tag: 'latest',
      platforms: ['linux/amd64'],
      digest: image.index.digest,
      manifest: image.manifest.digest,
      size: image.blobs[0]?.bytes.length,
      configFrom: 'image',
      config: {
        entrypoint: ['/entry'],
        cmd: ['serve'],
        env: ['B=2', 'A=1'],
        exposedPorts: ['443/tcp', '80/tcp'],
        volumes: ['/data'],
        workingDir: '/srv',
        user: '999',
        stopSignal: 'SIGQUIT',
        healthcheck: ['CMD', 'ok'],
      },
    });
    expect(result).toMatchObject({ date: '2026-08-21', unavailable: [], left: [], layersLeft: [] });
  });

  it('gives equal bytes whatever comes first, and asks again by HEAD alone', async () => {
    const first = text(await crawl({ jobs: 1 }));
    expect(gets()).toContain(`nginx/manifests/${imageOf('nginx').index.digest}`);
    expect(gets().filter((path) => path.endsWith('/latest'))).toEqual([]);
    const before = gets().length;
    expect(text(await crawl({ jobs: 8 }))).toBe(first);
    expect(gets().length).toBe(before);
  });

  it('reads many pages', async () => {
    for (let i = 0; i < 250; i += 1) hub.add(`r${i}`);
    // Only what is chosen is asked for.
    const result = await crawl({ only: ['redis', 'nginx'] });
    expect(result.dataset?.images.map(({ name }) => name)).toEqual(['nginx', 'redis']);
    expect(hub.seen.map(({ path }) => /&page=(\d+)/.exec(path)?.[1])).toEqual(['1', '2', '3']);
  });

  it('takes the newest stable tag where there is no latest', async () => {
    hub.add('mongo', {
      tags: [
        { name: '9.0-rc1', pushed: '2026-08-20T00:00:00Z' },
        { name: '8.2-windows', pushed: '2026-08-20T00:00:00Z', platforms: ['windows/amd64'] },
        { name: '8.1', pushed: '2026-08-19T00:00:00Z', platforms: ['linux/arm64', 'linux/amd64'] },
        { name: '8.10', pushed: '2026-08-19T00:00:00Z' },
        { name: '55.0', pushed: '2020-01-01T00:00:00Z' },
      ],
    });
    // 8.10 is named and not pushed yet.
    registry.add('library/mongo', '8.1', imageOf('mongo'));
    expect(named(await crawl(), 'mongo')).toMatchObject({
      tag: '8.1',
      digest: imageOf('mongo').index.digest,
    });
  });

  it('takes another tag where latest is for another platform', async () => {
    hub.add('win', { tags: [{ name: '1.0', pushed: '2026-08-20T00:00:00Z' }] });
    registry.add('library/win', 'latest', fixtureImage({ layers: [], architecture: 'arm64' }));
    registry.add('library/win', '1.0', imageOf('win'));
    expect(named(await crawl(), 'win')).toMatchObject({ tag: '1.0' });
  });

  it('joins the library files with what Docker Hub says', async () => {
    const directory = library({
      alpine: '\nTags: 3.24, 3, latest\n\nTags: 3.23\nGitCommit: cd\n',
      redis: '\nTags: 8-rc1\n\nTags: 7.4\nArchitectures: amd64, arm64v8\namd64-Directory: seven\n',
      caddy: '\nTags: 2\nArchitectures: s390x\n',
    });
    registry.add('library/redis', '7.4', imageOf('redis'));
    const result = await crawl({ library: directory });
    const facts = result.dataset?.images.map(({ name, state, tag, source, unavailable }) => [
      name,
      state,
      tag,
      source?.directory,
      unavailable,
    ]);
    expect(facts).toEqual([
      ['alpine', 'active', 'latest', '.', undefined],
      ['caddy', 'active', undefined, undefined, 'image/platform-mismatch'],
      // Not in the library files, and still to be had.
      ['nginx', 'retired', 'latest', undefined, undefined],
      ['redis', 'active', '7.4', 'seven', undefined],
    ]);
    const own = await crawl({ library: directory, hub: undefined });
    expect(own.dataset?.images.map(({ name }) => name)).toEqual(['alpine', 'caddy', 'redis']);
  });

  it('says what is not to be had and goes on', async () => {
    hub.add('gone');
    registry.add('library/old', 'latest', fixtureImage({ layers: [], architecture: 's390x' }));
    hub.add('old', { tags: [] });
    const result = await crawl();
    expect(result.left).toEqual([]);
    expect(result.unavailable.map(({ name, error }) => [name, error.code])).toEqual([
      ['gone', 'image/not-found'],
      ['old', 'image/platform-mismatch'],
    ]);
    expect(named(result, 'gone')).toMatchObject({ unavailable: 'image/not-found' });
  });

  it('takes over what people have marked', async () => {
    const base: OfficialDataset = {
      schemaVersion: 1,
      kind: 'docker-official',
      date: '2026-01-01',
      platform: 'linux/amd64',
      sources: {},
      confineElsewhere: ['alpine', 'vault'],
      images: [
        { name: 'ghost', state: 'active', tag: '1' },
        {
          name: 'redis',
          state: 'active',
          deprecated: true,
          pulls: { '2020': 5, '2026-01-01': 6 },
          tag: '6',
          confine: 'redis-x',
          env: ['A=1'],
          workload: 'w.yaml',
        },
      ],
    };
    const result = await crawl({ base });
    expect(named(result, 'redis')).toMatchObject({
      deprecated: true,
      pulls: { '2020': 5, '2026-08-21': 1002 },
      tag: 'latest',
      confine: 'redis-x',
      env: ['A=1'],
      workload: 'w.yaml',
    });
    expect(named(result, 'alpine')).toMatchObject({ confine: 'alpine' });
    expect(result.dataset?.confineElsewhere).toEqual(['vault']);
    expect(named(result, 'ghost')).toBeUndefined();
    // One repository alone: the others stay.
    const one = await crawl({ base, only: ['alpine'] });
    expect(one.dataset?.images.map(({ name, tag }) => [name, tag])).toEqual([
      ['alpine', 'latest'],
      ['ghost', '1'],
      ['redis', '6'],
    ]);
    // The dataset before says which repositories there are, where nobody else is to be asked.
    registry.add('library/redis', '6', imageOf('redis six'));
    const again = await crawl({ base, hub: undefined });
    expect(named(again, 'redis')).toMatchObject({ tag: '6', digest: imageOf('redis six').index.digest });
    expect(named(again, 'ghost')).toMatchObject({ tag: '1', unavailable: 'image/not-found' });
  });

  it('fills the cache with layers, from where a run takes them', async () => {
    await crawl({ withLayers: true });
    const layer = imageOf('redis').blobs[0]?.digest ?? '';
    expect(gets()).toContain(`redis/blobs/${layer}`);
    const before = gets().length;
    await crawl({ withLayers: true });
    expect(gets().length).toBe(before);
  });

  it('tells of layers that are not to be had, and pins all the same', async () => {
    const layer = imageOf('redis').blobs[0]?.digest ?? '';
    registry.misbehave = (request, response) => request.url?.endsWith(layer) === true && reply(response, 404);
    const result = await crawl({ withLayers: true });
    expect(result.layersLeft.map(({ name }) => name)).toEqual(['redis']);
    expect(named(result, 'redis')?.digest).toBeDefined();
  });
});

describe('a crawl that ends early', () => {
  /** Stops everything when so many repositories are pinned. */
  async function interrupted(after: number, options: Partial<CrawlOptions> = {}): Promise<void> {
    const stop = new AbortController();
    let done = 0;
    await expect(
      crawl({
        jobs: 1,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type !== 'finished') return;
          done += 1;
          if (done === after) stop.abort();
        },
        ...options,
      }),
    ).rejects.toMatchObject({ name: 'AbortError' });
  }

  it('goes on where it stopped and gives the same bytes, on the day on which it began', async () => {
    const whole = text(await crawl({ cache: join(directory, 'other') }));
    await interrupted(2);
    const before = gets().length;
    // Pulls go on meanwhile; what was listed stays listed.
    hub.add('nginx', { pulls: 5000 });
    const result = await crawl({ date: '2026-08-22' });
    expect(text(result)).toBe(whole);
    expect(
      gets()
        .slice(before)
        .every((path) => path.startsWith('redis/')),
    ).toBe(true);
    expect(notes()).toContain('goes on with the crawl of 2026-08-21; --restart begins anew');
    // It has ended: the next one begins anew.
    expect(named(await crawl({ date: '2026-08-22' }), 'nginx')?.pulls).toEqual({ '2026-08-22': 5000 });
  });

  it.each<[string, Partial<CrawlOptions>]>([
    ['--restart', { restart: true, date: '2026-08-22' }],
    ['a week later', { date: '2026-08-30' }],
  ])('begins anew: %s', async (_, options) => {
    await interrupted(2);
    expect((await crawl(options)).date).toBe(options.date);
  });

  it('begins anew when it asks for something else', async () => {
    await interrupted(2);
    expect((await crawl({ only: ['redis'], date: '2026-08-22' })).date).toBe('2026-08-22');
  });

  it('finds anew what is damaged of what it kept', async () => {
    const whole = text(await crawl());
    await interrupted(3);
    const crawls = join(directory, 'cache/crawls');
    const [id = ''] = readdirSync(crawls);
    writeFileSync(join(crawls, id, 'images/alpine.json'), '{"name":"alpine"');
    writeFileSync(join(crawls, id, 'images/nginx.json'), '{"name":"redis","state":"active"}');
    expect(text(await crawl())).toBe(whole);
  });

  it('writes nothing while something is left to ask for, unless it is told to', async () => {
    registry.misbehave = (request, response) =>
      request.url?.startsWith('/v2/library/redis/') === true && reply(response, 503);
    const result = await crawl();
    expect(result.dataset).toBeUndefined();
    expect(result.left.map(({ name, error }) => [name, error.code])).toEqual([['redis', 'registry/failed']]);
    const partial = await crawl({ partial: true });
    expect(named(partial, 'redis')).toMatchObject({ unavailable: 'registry/failed' });
    registry.misbehave = undefined;
    const before = gets().length;
    expect((await crawl()).left).toEqual([]);
    expect(
      gets()
        .slice(before)
        .every((path) => path.startsWith('redis/')),
    ).toBe(true);
  });

  it('offline gives the same bytes again and asks nobody', async () => {
    hub.add('gone');
    await expect(crawl({ offline: true })).rejects.toMatchObject({ code: 'usage/nothing-kept' });
    const whole = text(await crawl());
    const asked = hub.seen.length + registry.seen.length;
    expect(text(await crawl({ offline: true, date: '2027-01-01' }))).toBe(whole);
    const layers = await crawl({ offline: true, withLayers: true });
    expect(layers.layersLeft.map(({ error }) => error.code)).toEqual(Array(3).fill('registry/offline'));
    expect(hub.seen.length + registry.seen.length).toBe(asked);
  });
});

describe('limits', () => {
  it('are told of, and waited for at zero', async () => {
    let remaining = 4;
    registry.misbehave = (request, response) => {
      response.setHeader('ratelimit-limit', '4;w=4');
      // As Docker Hub counts: GET of a manifest, and nothing else.
      if (request.method === 'GET' && request.url?.includes('/manifests/') === true) {
        if (remaining === 0) return reply(response, 429, { 'retry-after': '1' });
        remaining -= 1;
        if (remaining === 0) setTimeout(() => (remaining = 4), 900);
      }
      response.setHeader('ratelimit-remaining', `${remaining};w=4`);
      return false;
    };
    const result = await crawl();
    expect(result.left).toEqual([]);
    expect(result.dataset?.images.every(({ digest }) => digest !== undefined)).toBe(true);
    expect(notes()).toContain('4 of 4 requests left');
    expect(notes().join('\n')).toMatch(
      /(no requests left|too many requests); goes on at \d\d:\d\d:\d\d UTC, in \d+ s/,
    );
  });

  it('of Docker Hub are kept to as well', async () => {
    hub.misbehave = (_request, response, count) =>
      count === 1 && reply(response, 429, { 'retry-after': '1' });
    expect((await crawl()).left).toEqual([]);
    expect(notes()[0]).toMatch(/^too many requests; goes on at/);
  });

  it('that are too far away end with what is left', async () => {
    registry.misbehave = (request, response) =>
      request.url?.startsWith('/v2/library/redis/') === true &&
      reply(response, 429, { 'retry-after': '9999999' });
    const result = await crawl();
    expect(result.left.map(({ name, error }) => [name, error.code])).toEqual([
      ['redis', 'registry/rate-limited'],
    ]);
  });
});

describe('a Docker Hub that misbehaves', () => {
  it.each([
    ['a dead page', 1, (r: ServerResponse) => reply(r, 502)],
    ['a page for people', 1, (r: ServerResponse) => reply(r, 200, {}, '<html>busy</html>')],
    ['a page of another shape', 1, (r: ServerResponse) => reply(r, 200, {}, '{"results":{"name":1}}')],
    [
      'a page that is cut off',
      2,
      (r: ServerResponse): true => {
        r.writeHead(200, { 'content-length': 1000 });
        r.write('{"results":[', () => r.destroy());
        return true;
      },
    ],
  ])('%s is asked for again', async (_, times, act) => {
    hub.misbehave = (_request, response, count) => count <= times && act(response);
    expect((await crawl()).dataset?.images.length).toBe(3);
  });

  it.each([
    ['a page that stays dead', (r: ServerResponse) => reply(r, 500), 'registry/failed'],
    ['nonsense for ever', (r: ServerResponse) => reply(r, 200, {}, '[['.repeat(1000)), 'registry/bad-answer'],
    ['a gigantic answer', (r: ServerResponse) => reply(r, 200, {}, ' '.repeat(9 << 20)), 'archive/too-large'],
    ['silence', (): true => true, 'registry/silent'],
    [
      'a way to another host without TLS',
      (r: ServerResponse) => reply(r, 302, { location: 'http://hub.example/' }),
      'registry/bad-redirect',
    ],
    [
      'a way in a circle',
      (r: ServerResponse) => reply(r, 302, { location: `/v2/repositories/library/` }),
      'registry/bad-redirect',
    ],
    [
      'pages without end',
      (r: ServerResponse) =>
        reply(r, 200, {}, JSON.stringify({ next: 'https://x/', results: [{ name: 'nginx' }] })),
      'registry/endless-listing',
    ],
  ])('%s ends with an error', async (_, act, code) => {
    hub.misbehave = (_request, response) => act(response);
    // A busy machine is silent for a second, too.
    const silence = code === 'registry/silent' ? 200 : 20_000;
    const crawled = crawl({
      registry: { dockerConfig: directory, firstPause: 1, attempts: 2, silence },
    });
    await expect(crawled).rejects.toMatchObject({ code, name: 'ProfGenError' });
    expect(hub.seen.length).toBeLessThan(20);
    expect(registry.seen).toEqual([]);
  });

  it('endless pages that all say something new end too', async () => {
    hub.misbehave = (request, response) => {
      const page = /&page=(\d+)/.exec(request.url ?? '')?.[1];
      const results = [{ name: `r${page}` }];
      return reply(response, 200, {}, JSON.stringify({ next: 'more', results }));
    };
    await expect(crawl()).rejects.toMatchObject({ code: 'registry/endless-listing' });
    expect(hub.seen.length).toBe(100);
  });

  it('a way to another host is gone without what is secret', async () => {
    const other = await startFakeHub();
    try {
      other.add('redis');
      hub.misbehave = (request, response) =>
        reply(response, 307, { location: `http://${other.host}${request.url}` });
      expect((await crawl()).dataset?.images.map(({ name }) => name)).toEqual(['redis']);
      expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    } finally {
      await other.close();
    }
  });

  it('names that are none become no paths', async () => {
    const names = [
      '../../etc/passwd',
      'a/b',
      'UPPER',
      '',
      '.',
      '-x',
      'a\u0000b',
      '\u001b[31mred',
      'x'.repeat(300),
    ];
    for (const name of names) hub.add(name);
    const result = await crawl();
    expect(result.dataset?.images.length).toBe(3);
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.error] : []));
    expect(warnings.map(({ code }) => code)).toEqual(Array(names.length).fill('registry/bad-name'));
    expect(warnings.map(({ message }) => message).join('')).not.toMatch(/[\u0000-\u001f]/);
    expect(registry.seen.every(({ path }) => /^\/v2\/library\/(alpine|nginx|redis)\//.test(path))).toBe(true);
  });

  it('is spoken to by TLS, or on this machine', async () => {
    for (const address of ['http://hub.example/', 'file:///etc/', 'https://user:secret@hub.example/']) {
      await expect(crawl({ hub: new URL(address) })).rejects.toMatchObject({ code: 'usage/options' });
    }
    for (const mirror of ['http://x', '../x', 'a b', 'host:port:1']) {
      await expect(crawl({ mirror })).rejects.toMatchObject({ code: 'usage/reference' });
    }
  });
});

describe('a registry that misbehaves', () => {
  const blob = imageOf('redis').config;

  it('half a config is asked for from where it was cut off', async () => {
    registry.misbehave = (request, response, count) => {
      if (request.url?.endsWith(blob.digest) !== true || count > 1) return false;
      response.writeHead(200, { 'content-length': blob.bytes.length });
      response.write(blob.bytes.subarray(0, 20), () => setTimeout(() => response.destroy(), 30));
      return true;
    };
    expect((await crawl()).left).toEqual([]);
    const ranges = registry.seen.filter(({ path }) => path.endsWith(blob.digest)).map(({ range }) => range);
    expect(ranges).toEqual([undefined, 'bytes=20-']);
  });

  it('without HEAD is asked by GET', async () => {
    registry.misbehave = (request, response) => {
      if (request.method !== 'HEAD') return false;
      // Nothing of what would tell the digest.
      response.writeHead(200).end();
      return true;
    };
    const result = await crawl();
    expect(named(result, 'redis')?.digest).toBe(imageOf('redis').index.digest);
  });

  it.each([
    ['a manifest without end', 'index' as const, ' '.repeat(5 << 20), 'archive/too-large'],
    ['a manifest that is another', 'index' as const, '{}', 'registry/digest-mismatch'],
  ])('%s costs its image alone', async (_, part, body, code) => {
    const { digest } = imageOf('redis')[part];
    registry.misbehave = (request, response) =>
      request.method === 'GET' && request.url?.endsWith(digest) === true && reply(response, 200, {}, body);
    const result = await crawl();
    expect(result.unavailable.map(({ name, error }) => [name, error.code])).toEqual([['redis', code]]);
    expect(named(result, 'nginx')?.digest).toBeDefined();
  });

  it('a config that is more than any config costs its image alone', async () => {
    registry.add(
      'library/redis',
      'latest',
      imageOf('redis', { Env: Array<string>(900).fill('A'.repeat(100)) }),
    );
    registry.add('library/nginx', 'latest', imageOf('nginx', { User: 'x'.repeat(40_000) }));
    const result = await crawl();
    expect(result.unavailable.map(({ name, error }) => [name, error.code])).toEqual([
      ['nginx', 'image/bad-config'],
      ['redis', 'image/bad-config'],
    ]);
  });

  it('that has nothing at all is an error, and keeps nothing from going on', async () => {
    registry.misbehave = (_request, response) =>
      reply(response, 401, { 'www-authenticate': 'Basic realm="x"' });
    await expect(crawl()).rejects.toMatchObject({
      code: 'registry/nothing-pinned',
      causes: [{ code: 'registry/unauthorized' }, {}, {}],
    });
    registry.misbehave = undefined;
    expect((await crawl()).dataset?.images.every(({ digest }) => digest !== undefined)).toBe(true);
  });
});
