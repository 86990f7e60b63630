import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '../../..');

let directory: string;
let archive: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-interrupted-'));
  archive = join(directory, 'redis.tar');
  await run('docker', ['save', '--output', archive, 'prof-gen/redis']);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const docker = async (...args: string[]) => (await run('docker', args)).stdout;
const containers = () => docker('ps', '--all', '--quiet', '--filter', 'label=prof-gen');
const loaded = () => docker('images', '--quiet', 'prof-gen/loaded');
const left = async () =>
  (await containers()) +
  (await loaded()) +
  (await docker('network', 'ls', '--quiet', '--filter', 'label=prof-gen')) +
  (await docker('volume', 'ls', '--quiet', '--filter', 'label=prof-gen'));

const args = () => ['profile', '--quiet', '--cache', join(directory, 'cache'), `docker-archive:${archive}`];

/** Started, and in the middle of the observation of an image that had to be loaded. */
async function observing() {
  const child = spawn(process.execPath, [join(workspace, 'packages/cli/bin/prof-gen.js'), ...args()], {
    cwd: workspace,
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  const busy = async () => (await loaded()) !== '' && (await containers()) !== '';
  await expect.poll(busy, { timeout: 60_000, interval: 100 }).toBe(true);
  return { child, ended };
}

describe('an image that the engine does not have', () => {
  it('leaves nothing behind on Ctrl-C, which ends with 130', async () => {
    const { child, ended } = await observing();
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await left()).toBe('');
  });

  it('is removed by the next start after SIGKILL, and at the end of a good one', async () => {
    const { child, ended } = await observing();
    child.kill('SIGKILL');
    expect(await ended).toBe(null);
    expect(await left()).not.toBe('');
    expect((await profGen(args())).code).toBe(0);
    expect(await left()).toBe('');
  });
});

describe('without root', () => {
  it('tracing ends with 5 and says what to do', async () => {
    const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const ended = await profGen(['profile', 'docker:prof-gen/redis'], {
      through,
      env: { PROF_GEN_CACHE: join(directory, 'none') },
    });
    expect(ended.stderr).toMatch(/environment\/root\][^]*hint: .*--static/);
    expect(ended.code).toBe(5);
  });
});

describe('a run of two images', () => {
  it('ends with 4 when one of them fails', async () => {
    const dataset = join(directory, 'two.yaml');
    const images = [
      `  - { name: good, reference: "docker-archive:${archive}" }`,
      '  - { name: bad, reference: "docker-archive:/no/such.tar" }',
    ];
    await writeFile(dataset, `schemaVersion: 1\nname: two\ndescription: d\nimages:\n${images.join('\n')}\n`);
    const ended = await profGen(
      [
        'run',
        dataset,
        '--static',
        '--no-report',
        '--results',
        directory,
        '--cache',
        join(directory, 'cache'),
      ],
      {},
    );
    expect(ended.stdout).toMatch(/^bad .*image\/not-found/m);
    expect(ended.code).toBe(4);
  });
});
