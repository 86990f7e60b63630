import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { profileDocumentSchema } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);

let directory: string;
let archive: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-sources-'));
  archive = join(directory, 'redis.tar');
  await run('docker', ['save', '--output', archive, 'prof-gen/redis']);
  await run('skopeo', ['copy', '--quiet', `docker-archive:${archive}`, `oci:${directory}/layout:redis`]);
  await run('skopeo', ['copy', '--quiet', `docker-archive:${archive}`, `oci-archive:${directory}/oci.tar`]);
  // What the image's root looks like when somebody else has unpacked it.
  await mkdir(join(directory, 'root'));
  const { stdout } = await run('docker', ['create', 'prof-gen/redis']);
  await run('sh', ['-c', `docker export ${stdout.trim()} | tar -x -C ${directory}/root`]);
  await run('docker', ['rm', '--volumes', stdout.trim()]);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function profile(...args: string[]) {
  const ended = await profGen([
    'profile',
    '--quiet',
    '--cache',
    join(directory, 'cache'),
    '-o',
    'json',
    ...args,
  ]);
  expect(ended.stderr).toBe('');
  const document = profileDocumentSchema.parse(JSON.parse(ended.stdout));
  return { code: ended.code, document };
}

describe('the same image', () => {
  it('gives the same programs and calls from every source', async () => {
    const { document: expected } = await profile('--static', 'docker:prof-gen/redis');
    expect(expected.programs.flatMap(({ calledAs }) => calledAs)).toContain('/usr/bin/redis-server');
    for (const source of [`docker-archive:${archive}`, archive]) {
      const { document } = await profile('--static', source);
      expect(document.programs, source).toEqual(expected.programs);
      expect(document.syscalls, source).toEqual(expected.syscalls);
    }
    // An OCI config has no health check (image-spec, config.md), so its programs are not among them.
    const own = expected.programs.filter(({ origin }) => origin.kind !== 'healthcheck');
    for (const source of [`oci:${directory}/layout:redis`, `oci-archive:${directory}/oci.tar`]) {
      const { document } = await profile('--static', source);
      expect(document.programs, source).toEqual(own);
    }
    // A directory has no config: what the image would run is said by the caller, and there is no health check.
    const entrypoint = ['--entrypoint', 'docker-entrypoint.sh', '--workdir', '/data'];
    const { document } = await profile(
      '--static',
      ...entrypoint,
      `dir:${directory}/root`,
      '--',
      'redis-server',
    );
    const server = (programs: typeof expected.programs) =>
      programs.find(({ calledAs }) => calledAs.includes('/usr/bin/redis-server'));
    expect(server(document.programs)).toEqual(server(expected.programs));
  });

  it('is loaded into the engine from an archive, proven, and taken out again', async () => {
    const images = async () =>
      (await run('docker', ['images', '--quiet', '--no-trunc', 'prof-gen/loaded'])).stdout;
    const { code, document } = await profile(
      '--workload',
      'datasets/workloads/redis.yaml',
      `oci-archive:${directory}/oci.tar`,
    );
    expect(code).toBe(0);
    expect(document.status).toBe('proven');
    expect(await images()).toBe('');
  });
});
