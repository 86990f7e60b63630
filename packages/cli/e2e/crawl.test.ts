import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { officialDatasetSchema } from '@prof-gen/core';
import {
  buildLayer,
  type DockerRegistry,
  type FakeHub,
  type FixtureImage,
  fixtureImage,
  startDockerRegistry,
  startFakeHub,
} from '@prof-gen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, profGen } from './prof-gen.js';

const count = 100;
const password = 'secret-of-the-mirror';
const nameOf = (i: number) => `image-${String(i).padStart(3, '0')}`;

/** What a program needs to be analysed: itself, its loader and its library, from this machine. */
const program = ['/bin/true', '/lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/libc.so.6'];

let directory: string;
let hub: FakeHub;
let registry: DockerRegistry;
const images = new Map<string, FixtureImage>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-crawl-'));
  [hub, registry] = await Promise.all([startFakeHub(), startDockerRegistry({ password })]);
  for (let i = 0; i < count; i += 1) {
    const name = nameOf(i);
    const content =
      i > 0
        ? [{ name: 'etc/name', content: name }]
        : await Promise.all(
            program.map(async (path) => ({
              name: path.slice(1),
              content: await readFile(path),
              mode: 0o755,
            })),
          );
    const image = fixtureImage({
      layers: [buildLayer(content)],
      config: { Cmd: ['/bin/true'], Env: [`I=${i}`] },
    });
    images.set(name, image);
    // Some have no tag `latest`.
    const tag = i % 10 === 7 ? '1.2.3' : 'latest';
    await registry.push(`library/${name}`, tag, image);
    hub.add(name, { pulls: i, tags: [{ name: tag, pushed: '2026-08-20T00:00:00Z' }] });
  }
  await mkdir(join(directory, 'docker'));
  const auth = Buffer.from(`${registry.username}:${password}`).toString('base64');
  await writeFile(
    join(directory, 'docker/config.json'),
    JSON.stringify({ auths: { [registry.host]: { auth } } }),
  );
});
afterAll(async () => {
  await Promise.all([hub.close(), registry.close()]);
  await rm(directory, { recursive: true, force: true });
});

const day = '2026-08-21';
const to = (name: string) => join(directory, name, 'datasets');

function crawl(name: string, args: readonly string[] = [], signal?: AbortSignal): Promise<Ended> {
  const where = ['--hub', `http://${hub.host}/`, '--mirror', registry.host];
  return profGen(
    [
      'crawl',
      'official',
      ...where,
      '--to',
      to(name),
      '--cache',
      join(directory, name, 'cache'),
      '--date',
      day,
      ...args,
    ],
    {
      env: { DOCKER_CONFIG: join(directory, 'docker') },
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

const written = (name: string) => readFile(join(to(name), `${day}.json`), 'utf8');

describe('a registry with a hundred images', () => {
  it('is pinned whole', async () => {
    const ended = await crawl('whole');
    expect(ended.stderr).not.toMatch(/warning|error/);
    expect(ended.stdout).toBe(`${join(to('whole'), `${day}.json`)}: 100 images, 100 pinned, 0 retired\n`);
    expect(ended.code).toBe(0);
    const dataset = officialDatasetSchema.parse(JSON.parse(await written('whole')));
    for (const [i, { name, tag, manifest, config, pulls }] of dataset.images.entries()) {
      const expected = images.get(nameOf(i));
      expect([name, manifest, pulls]).toEqual([nameOf(i), expected?.manifest.digest, { [day]: i }]);
      expect([tag, config?.env]).toEqual([i % 10 === 7 ? '1.2.3' : 'latest', [`I=${i}`]]);
    }
    expect(`${ended.stdout}${ended.stderr}${await written('whole')}`).not.toContain(password);
  });

  it('gives the same bytes when the crawl is killed and goes on', async () => {
    const found = async () => {
      const crawls = join(directory, 'killed/cache/crawls');
      const [id] = await readdir(crawls).catch(() => []);
      return (await readdir(join(crawls, id ?? '', 'images')).catch(() => [])).length;
    };
    const kill = new AbortController();
    const killed = crawl('killed', ['--jobs', '1'], kill.signal);
    try {
      await expect.poll(found, { timeout: 200_000, interval: 20 }).toBeGreaterThan(20);
    } finally {
      kill.abort();
    }
    expect((await killed).code).toBe(null);
    expect(await found()).toBeLessThan(count);
    await expect(written('killed')).rejects.toThrow('ENOENT');
    const ended = await crawl('killed');
    expect(ended.stderr).toContain(`goes on with the crawl of ${day}`);
    expect(ended.stderr).toMatch(/image-000: skipped, latest, sha256:\S+ found before/);
    expect(ended.code).toBe(0);
    expect(await written('killed')).toBe(await written('whole'));
  });

  it('is there again offline', async () => {
    const asked = hub.seen.length;
    const before = await written('whole');
    await rm(to('whole'), { recursive: true });
    expect((await crawl('whole', ['--offline', '--quiet'])).stderr).toBe('');
    expect(await written('whole')).toBe(before);
    expect(hub.seen.length).toBe(asked);
  });

  it('can be run from the dataset, layers of the cache and by digest', async () => {
    const ended = await crawl('one', ['--only', nameOf(0), '--with-layers']);
    expect(ended.code).toBe(0);
    const run = await profGen([
      'run',
      join(to('one'), `${day}.json`),
      '--static',
      '--no-report',
      '--results',
      join(directory, 'one/results'),
      '--cache',
      join(directory, 'one/cache'),
    ]);
    expect(run.stdout).toMatch(/^image-000 .* static /m);
    expect(run.code).toBe(0);
  });
});

describe('what cannot be', () => {
  it.each([
    ['another thing', ['crawl', 'everything'], /Allowed choices are official/],
    ['a repository that is none', [], /no-such-repository\][^]*hint/],
    ['a day that is none', ['crawl', 'official', '--date', 'today'], /usage\/options\]/],
    ['an address that is none', ['crawl', 'official', '--hub', 'hub'], /usage\/options\]/],
    [
      'nobody who tells what there is',
      ['crawl', 'official', '--no-hub', '--to', '/nonexistent'],
      /usage\/nothing-to-crawl\][^]*hint: .*--library/,
    ],
    [
      'library files that are not there',
      ['crawl', 'official', '--library', '/nonexistent'],
      /usage\/no-such-file\]/,
    ],
  ])('%s is a mistake in use', async (_, args, said) => {
    const ended =
      args.length === 0
        ? await crawl('none', ['--only', '../x'])
        : await profGen([...args, '--cache', join(directory, 'none/cache')]);
    expect(ended.stderr).toMatch(said);
    expect(ended.code).toBe(2);
  });

  it('a wrong password pins nothing and says why', async () => {
    const ended = await profGen(
      [
        'crawl',
        'official',
        '--hub',
        `http://${hub.host}/`,
        '--mirror',
        registry.host,
        '--to',
        to('denied'),
        '--cache',
        join(directory, 'denied/cache'),
        '--only',
        nameOf(3),
      ],
      { env: { DOCKER_CONFIG: join(directory, 'nowhere') } },
    );
    expect(ended.stderr).toMatch(/registry\/nothing-pinned\][^]*registry\/unauthorized/);
    expect(ended.code).toBe(1);
  });
});
