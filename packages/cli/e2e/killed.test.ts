import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { randomSource } from '@prof-gen/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '../../..');
const rounds = 8;

/** Has the engine make all that Prof-gen ever makes: a network, volumes, containers traced and beside them, execs. */
const everyKind = {
  schemaVersion: 1,
  name: 'every-kind',
  description: 'waits, beside others and with volumes',
  cmd: ['sleep', '600'],
  volumes: ['/one', '/two'],
  ready: { command: ['true'] },
  steps: [
    { name: 'in the container', in: 'container', run: ['sleep', '1'] },
    { name: 'beside it', run: ['sleep', '1'] },
  ],
  restart: { steps: [] },
  stop: { signal: 'SIGKILL', exit: 'any' },
};

let directory: string;
let args: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-killed-'));
  // An archive, so that the image has to be loaded as well.
  const archive = join(directory, 'bash.tar');
  await run('docker', ['save', '--output', archive, 'prof-gen/bash']);
  const profile = join(directory, 'profile.json');
  await writeFile(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] }));
  const workload = join(directory, 'workload.yaml');
  await writeFile(workload, JSON.stringify(everyKind));
  args = ['verify', '--quiet', '--cache', join(directory, 'cache'), `docker-archive:${archive}`];
  args.push('--profile', profile, '--workload', workload);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const lines = async (command: string, ...argv: string[]): Promise<string[]> => {
  const { stdout } = await run(command, argv).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }));
  return stdout.split('\n').filter(Boolean);
};
const docker = (...argv: string[]) => lines('docker', ...argv);

/** What processes with these numbers have in the engine and in the kernel. */
async function leftBy(pids: readonly number[]): Promise<string[]> {
  // boot id, process, start time (packages/tracer/src/engine/owner.ts)
  const isTheirs = (text: string) => pids.some((pid) => text.includes(`-${pid}-`));
  const labelled = async (...list: string[]) =>
    (
      await docker(
        ...list,
        '--filter',
        'label=prof-gen',
        '--format',
        `${list[0]} {{.ID}} {{.Label "prof-gen.owner"}}`,
      )
    ).filter(isTheirs);
  const volumes = await docker('volume', 'ls', '--format', 'volume {{.Name}} {{.Label "prof-gen.owner"}}');
  const images = await docker('images', '--format', 'image {{.Repository}}:{{.Tag}}');
  const tracers = await Promise.all(pids.map((pid) => lines('pgrep', '--full', `pid == ${pid} &&`)));
  return [
    ...(await labelled('ps', '--all')),
    ...(await labelled('network', 'ls')),
    ...[...volumes, ...images].filter(isTheirs),
    ...tracers.flat().map((pid) => `bpftrace ${pid}`),
  ];
}

/** Control groups and anonymous volumes of containers: they bear no label of their own. */
async function hiddenIn(left: readonly string[]): Promise<string[]> {
  const ids = left.filter((line) => line.startsWith('ps ')).map((line) => line.split(' ')[1] ?? '');
  const volumes = await Promise.all(
    ids.map((id) => docker('inspect', '--format', '{{range .Mounts}}{{println .Name}}{{end}}', id)),
  );
  return [...ids, ...volumes.flat()];
}

it('killed at any moment, it leaves nothing that the next start does not remove', async () => {
  const began = performance.now();
  expect(await profGen(args)).toMatchObject({ code: 0, stderr: '' });
  const whole = performance.now() - began;

  const random = randomSource(20_211_109);
  const pids: number[] = [];
  const hidden: string[] = [];
  let found = 0;
  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, [join(workspace, 'packages/cli/bin/prof-gen.js'), ...args], {
      cwd: workspace,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => {
      child.on('close', resolve);
    });
    pids.push(child.pid ?? 0);
    // A moment of each eighth of its time.
    await Promise.race([sleep((whole * (round + random.below(1_000) / 1_000)) / rounds), ended]);
    child.kill('SIGKILL');
    await ended;
    const left = await leftBy([child.pid ?? 0]);
    found += left.length;
    hidden.push(...(await hiddenIn(left)));
  }
  expect(found, 'something was left, or nothing was tested').toBeGreaterThan(0);

  expect((await profGen(args)).code).toBe(0);
  await expect.poll(() => leftBy(pids), { timeout: 30_000, interval: 500 }).toEqual([]);
  const groups = await lines(
    'find',
    '/sys/fs/cgroup',
    '-type',
    'd',
    '-regextype',
    'posix-extended',
    '-regex',
    '.*[0-9a-f]{64}.*',
  );
  const volumes = await docker('volume', 'ls', '--quiet');
  expect(hidden.filter((name) => [...groups, ...volumes].some((path) => path.includes(name)))).toEqual([]);
}, 1_800_000);
