import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DockerProfile, dockerProfileSchema } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const image = 'docker:prof-gen/python';
const workload = 'datasets/workloads/python.yaml';
let directory: string;
let profile: DockerProfile;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-verify-'));
  const { stdout, stderr } = await profGen(['profile', '-q', image, '--cache', join(directory, 'cache')]);
  expect(stderr).toBe('');
  profile = dockerProfileSchema.parse(JSON.parse(stdout));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function verify(tested: DockerProfile, ...args: string[]) {
  const file = join(directory, 'profile.json');
  await writeFile(file, JSON.stringify(tested));
  return profGen(['verify', '-q', image, '--cache', join(directory, 'cache'), '--profile', file, ...args]);
}

/** The profile without these calls, but for what `rules` says. */
const changed = (names: readonly string[], rules: DockerProfile['syscalls'] = []): DockerProfile => ({
  ...profile,
  syscalls: [
    ...profile.syscalls.map((rule) => ({
      ...rule,
      names: rule.names.filter((name) => !names.includes(name)),
    })),
    ...rules,
  ].filter(({ names: left }) => left.length > 0),
});

describe('verify', () => {
  it('passes a profile that is wide enough', async () => {
    const { code, stdout } = await verify(profile, '--workload', workload, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      proof: { status: 'passed', workload: 'python' },
      defects: [],
    });
    expect(code).toBe(0);
  });

  it('tells what was denied, with which arguments, and where the program does it', async () => {
    const onlyInternet: DockerProfile['syscalls'][number] = {
      names: ['socket'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 2, op: 'SCMP_CMP_EQ' }],
    };
    const { code, stdout } = await verify(
      changed(['socket', 'copy_file_range'], [onlyInternet]),
      '--workload',
      workload,
    );
    expect(stdout).toMatch(/^result +failed: 2 calls denied, 1 failed step$/m);
    expect(stdout).toMatch(/^socket +args\[0\] 0x1 +\/usr\/bin\/python3\.11 +python3 +start +EPERM/m);
    expect(stdout).toMatch(
      /^ {2}copy_file_range by \/usr\/bin\/python3\.11: .* > copy_file_range \(libc\.so\.6\) at/m,
    );
    expect(code).toBe(3);
  });

  it('sees a denial that the generic exercise brings about, and a container that does not start', async () => {
    const seen = await verify(changed(['readlink']), '--json');
    expect(JSON.parse(seen.stdout)).toMatchObject({
      proof: { status: 'failed', workload: 'generic exercise' },
      defects: [
        { name: 'readlink', phase: 'input' },
        { name: 'readlink', phase: 'start' },
      ],
    });
    const unable = await verify(changed(['execve']));
    expect(unable.stdout).toMatch(/^result +failed: 0 calls denied, 1 failed step$/m);
    expect([seen.code, unable.code]).toEqual([3, 3]);
  });

  it('says what is wrong with the profile', async () => {
    await writeFile(join(directory, 'text'), 'no profile');
    const [absent, text] = await Promise.all(
      ['absent', 'text'].map((name) => profGen(['verify', image, '--profile', join(directory, name)])),
    );
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('usage/bad-profile') });
    expect(text).toMatchObject({ code: 1, stderr: expect.stringContaining('profile/not-json') });
  });
});
