import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileDocumentSchema, runtimeBaseSchema } from '@prof-gen/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-runtime-base-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('what is measured here suffices for a container that is started, entered and stopped', async () => {
  const file = join(directory, 'base.json');
  const measured = await profGen(['runtime-base', '-q', '--rounds', '1', '--output', file]);
  expect(measured).toEqual({ code: 0, stdout: '', stderr: '' });
  const base = runtimeBaseSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  expect(base.source).toMatch(/^measured with docker \S+ on Linux /);
  for (const name of ['execve', 'openat', 'close']) expect(base.syscalls).toContain(name);
  // Far from everything that the runtime calls in its life: the rest comes before the filter.
  expect(base.syscalls.length).toBeLessThan(80);

  const { code, stdout, stderr } = await profGen([
    ...['profile', '-q', 'docker:prof-gen/redis', '--cache', join(directory, 'cache'), '-o', 'json'],
    ...['--runtime-base', file, '--workload', 'datasets/workloads/redis.yaml'],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const evidence = profileDocumentSchema.parse(JSON.parse(stdout)).syscalls.flatMap((call) => call.evidence);
  expect(evidence).toContainEqual({ kind: 'runtime-base', runtime: base.runtime, version: base.version });
});

it('a base that names no call is refused', async () => {
  const file = join(directory, 'wrong.json');
  await writeFile(
    file,
    JSON.stringify({ runtime: 'runc', version: '1', source: 'a test', syscalls: ['execve', 'exeve'] }),
  );
  const { code, stderr } = await profGen(['profile', 'docker:prof-gen/redis', '--runtime-base', file]);
  expect(code).toBe(2);
  expect(stderr).toContain('exeve');
});
