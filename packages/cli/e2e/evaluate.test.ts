import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { comparisonLines, profileDocumentSchema, runComparisonSchema } from '@prof-gen/core';
import { openStore, type RunId } from '@prof-gen/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-evaluate-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const documentOf = async (file: string) =>
  profileDocumentSchema.parse(JSON.parse(await readFile(file, 'utf8')));

/** Containers of Prof-gen that are left, by its label. */
async function leftContainers(): Promise<string> {
  return (await run('docker', ['ps', '--all', '--quiet', '--filter', 'label=prof-gen'])).stdout;
}

describe('the three images of scripts/evaluate', () => {
  let results: string;

  it('are proven on a workload that was not observed, without a denial that was not meant', async () => {
    results = join(directory, 'results');
    const ended = await profGen(
      [
        ...['run', 'datasets/evaluate.yaml', '--compare'],
        ...['--results', results, '--reports', join(directory, 'reports')],
      ],
      { env: { PROF_GEN_CACHE: join(directory, 'cache') } },
    );
    expect(ended.stderr).not.toMatch(/error|warning/);
    expect(ended.code, ended.stdout).toBe(0);
    const store = openStore(join(results, 'evaluate/results.db'), { readOnly: true });
    try {
      const documents = store.images.results(1 as RunId).map(({ document }) => document);
      expect(documents.map(({ status }) => status)).toEqual(['proven', 'proven', 'proven']);
      for (const { proof, staticMisses, syscalls, stats } of documents) {
        expect(proof?.denials.filter(({ expected }) => !expected)).toEqual([]);
        expect(staticMisses).toEqual([]);
        expect(syscalls.flatMap(({ evidence }) => evidence.map(({ kind }) => kind))).not.toContain('learned');
        expect(stats.allowed).toBeLessThan(stats.dockerDefault);
      }
    } finally {
      store.close();
    }
    expect(await leftContainers()).toBe('');
  });

  it('are compared with other methods on the same files and the same trace', async () => {
    const database = join(results, 'evaluate/results.db');
    const ended = await profGen(['compare', database, '--json']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { images, without, groups } = runComparisonSchema.parse(JSON.parse(ended.stdout));
    expect(without).toEqual([]);
    expect(images).toHaveLength(3);
    for (const { name, lines, libc } of images) {
      expect(lines.map(({ line }) => line)).toEqual([...comparisonLines]);
      expect(libc).toBe('glibc');
      const own = lines.find(({ line }) => line === 'prof-gen');
      expect({ name, trace: own?.missesTrace, proof: own?.missesProof }).toEqual({
        name,
        trace: [],
        proof: [],
      });
      const confine = lines.find(({ line }) => line === 'confine');
      // As many for python, whose modules ask for nearly all that Confine's method leaves it.
      expect(own?.allowed.confine.allowed).toBeLessThanOrEqual(confine?.allowed.confine.allowed ?? 0);
    }
    expect(groups[0]).toMatchObject({ by: 'all' });
    for (const [option, beginning] of [
      ['--csv', 'image,official,'],
      ['--markdown', '### '],
      ['--latex', '% '],
      ['--run=1', 'Calls allowed'],
    ] as const) {
      const { code, stdout } = await profGen(['compare', database, option]);
      expect({ code, beginning: stdout.slice(0, beginning.length) }).toEqual({ code: 0, beginning });
    }
    expect((await profGen(['compare', database, '--csv', '--json'])).code).toBe(2);
  });

  it('run by hand with the profiles that were written', async () => {
    const profile = join(results, 'evaluate/profiles/redis.json');
    const seccomp = `seccomp=${profile}`;
    const { stdout } = await run('docker', ['run', '--detach', '--security-opt', seccomp, 'prof-gen/redis']);
    const id = stdout.trim();
    try {
      const ping = async () => (await run('docker', ['exec', id, 'redis-cli', 'ping'])).stdout;
      await expect.poll(() => ping().catch(() => ''), { timeout: 10_000 }).toBe('PONG\n');
      // A call that the profile lacks is denied, so the profile is really on.
      await expect(run('docker', ['exec', id, 'mv', '/etc/issue', '/etc/issue.old'])).rejects.toThrow();
    } finally {
      await run('docker', ['rm', '--force', '--volumes', id]);
    }
  });
});

describe('prof-gen profile', () => {
  it('gives equal bytes for equal inputs, with a cold cache and with a warm one', async () => {
    const archive = join(directory, 'nginx.tar');
    await run('docker', ['save', '--output', archive, 'prof-gen/nginx']);
    const cache = join(directory, 'static-cache');
    const once = async (name: string) => {
      const file = join(directory, name);
      const ended = await profGen(
        [
          'profile',
          '--static',
          '--quiet',
          '--cache',
          cache,
          '-o',
          `json=${file}`,
          '-o',
          'docker',
          `docker-archive:${archive}`,
        ],
        // Static analysis needs no engine.
        { env: { DOCKER_HOST: 'unix:///no/such/docker.sock' } },
      );
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      return (await readFile(file, 'utf8')) + ended.stdout;
    };
    const cold = await once('cold.json');
    expect(await once('warm.json')).toBe(cold);
    const { programs, stats } = await documentOf(join(directory, 'warm.json'));
    expect(programs[0]?.path).toBe('/usr/bin/dash');
    expect(programs.map(({ path }) => path)).toContain('/usr/sbin/nginx');
    expect(stats).toMatchObject({ traced: 0, table: stats.allowed + stats.denied });
  });

  it('ends with 3 when a proof is denied a call, says which, and learns it when asked to', async () => {
    const workload = join(directory, 'unexpected.yaml');
    await writeFile(
      workload,
      [
        'schemaVersion: 1',
        'name: unexpected',
        'description: an operator runs a program that nothing leads to',
        'ready: { port: 6379 }',
        'steps:',
        '  - { name: move a file, in: container, run: [mv, /etc/issue, /etc/issue.old] }',
      ].join('\n'),
    );
    const file = join(directory, 'unexpected.json');
    const args = [
      'profile',
      'docker:prof-gen/redis',
      '--quiet',
      '--workload',
      workload,
      '-o',
      `json=${file}`,
    ];
    expect((await profGen(args)).code).toBe(3);
    const failed = await documentOf(file);
    expect(failed.status).toBe('failed');
    const denials = failed.proof?.denials.filter(({ expected }) => !expected) ?? [];
    expect(denials.map(({ name }) => name)).toContain('renameat2');
    expect(denials[0]).toMatchObject({ program: '/usr/bin/mv', process: 'mv', phase: 'workload' });
    expect(failed.staticMisses.map(({ name }) => name)).toContain('renameat2');

    expect((await profGen([...args, '--learn'])).code).toBe(0);
    const learned = await documentOf(file);
    expect(learned.status).toBe('proven');
    expect(learned.syscalls.find(({ name }) => name === 'renameat2')?.evidence).toContainEqual(
      expect.objectContaining({ kind: 'learned', program: '/usr/bin/mv', phase: 'workload' }),
    );
    // Learning does not make the miss unseen.
    expect(learned.staticMisses.map(({ name }) => name)).toContain('renameat2');
    expect(await leftContainers()).toBe('');
  });
});

describe('prof-gen run', () => {
  it('goes on after SIGKILL without doing finished work again', async () => {
    const dataset = join(directory, 'static.yaml');
    const images = ['redis', 'nginx', 'python'].map(
      (name) => `  - { name: ${name}, reference: docker:prof-gen/${name} }`,
    );
    await writeFile(
      dataset,
      `schemaVersion: 1\nname: static\ndescription: d\nimages:\n${images.join('\n')}\n`,
    );
    const results = join(directory, 'killed');
    const cache = join(directory, 'killed-cache');
    const args = [
      'run',
      dataset,
      '--static',
      '--no-report',
      '--jobs',
      '1',
      '--results',
      results,
      '--cache',
      cache,
    ];
    const database = join(results, 'static/results.db');
    const records = () => {
      const store = openStore(database, { readOnly: true });
      try {
        return store.images.list(1 as RunId);
      } finally {
        store.close();
      }
    };

    const kill = new AbortController();
    const killed = profGen(args, { signal: kill.signal });
    const firstDone = () => {
      try {
        return records()[0]?.state;
      } catch {
        return undefined;
      }
    };
    await expect.poll(firstDone, { timeout: 60_000, interval: 50 }).toBe('done');
    kill.abort();
    expect((await killed).code).toBe(null);
    const before = records();
    expect(before.some(({ state }) => state !== 'done')).toBe(true);

    expect((await profGen([...args, '--resume'])).code).toBe(0);
    const after = records();
    expect(after.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    for (const [i, { state, attempts }] of before.entries()) {
      if (state === 'done') expect(after[i]?.attempts).toBe(attempts);
    }
  });
});

describe('the report', () => {
  it('is rendered from kept results alone', async () => {
    const to = join(directory, 'again');
    const ended = await profGen(['report', join(directory, 'results/evaluate/results.db'), '--to', to]);
    expect(ended).toMatchObject({ code: 0, stdout: `${join(to, 'index.html')}\n` });
    expect(await readFile(join(to, 'index.html'), 'utf8')).toContain('redis');
  });
});
