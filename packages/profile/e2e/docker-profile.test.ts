import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Profile, x86_64Syscalls } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BuildProfileInput,
  buildProfile,
  defaultCapabilities,
  formatDockerProfile,
  mobyDefaultProfile,
  renderDockerProfile,
  runtimeBaseFor,
} from '../src/index.js';

const run = promisify(execFile);
const image = 'profile-e2e-calls';
const starts = 5;

/** Answers with the errors of a few calls, or waits: small enough that its own calls are known by reading it. */
const program = `
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static long call(long number, long first) {
  return syscall(number, first, 0, 0, 0, 0, 0) < 0 ? errno : 0;
}
static void stop(int signal) { (void)signal; _exit(0); }
int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "wait") == 0) {
    signal(SIGTERM, stop);
    for (;;) pause();
  }
  char line[200];
  int length = snprintf(line, sizeof line, "clone3=%ld statx=%ld uname=%ld last=%ld alg=%ld unix=%ld\\n",
    call(435, 0), call(332, 0), call(63, 0), call(470, 0), call(41, 38), call(41, 1));
  return write(1, line, length) == length ? 0 : 1;
}
`;
/** Of the program itself and of glibc's start in a static executable (glibc 2.36, csu/libc-start.c and its callees). */
const ownCalls = [
  'arch_prctl',
  'brk',
  'exit_group',
  'getrandom',
  'mprotect',
  'newfstatat',
  'pause',
  'prlimit64',
  'readlink',
  'rseq',
  'rt_sigaction',
  'set_robust_list',
  'set_tid_address',
  'socket',
  'write',
];

let directory = '';

async function profileFile(text: string): Promise<string> {
  const file = join(directory, 'seccomp.json');
  await writeFile(file, text);
  return file;
}

async function runtimeVersion(): Promise<{ runtime: string; runtimeVersion: string }> {
  const { stdout } = await run('runc', ['--version']);
  return {
    runtime: 'runc',
    runtimeVersion: /version (\S+)/.exec(stdout)?.[1] ?? expect.fail('no runc version'),
  };
}

async function profileOf(input: Partial<BuildProfileInput>): Promise<Profile> {
  return buildProfile({
    programs: [
      {
        path: '/calls',
        sha256: '00',
        calledAs: [],
        origin: { kind: 'run-command', chain: ['/calls'] },
        objects: [],
        syscalls: ownCalls.map((name) => ({
          number: x86_64Syscalls.numberOf(name) ?? expect.fail(name),
          evidence: [{ kind: 'static', program: '/calls', object: '/calls', function: 'main', site: '0x0' }],
        })),
        unresolved: [],
      },
    ],
    runtimeBase: runtimeBaseFor(await runtimeVersion()),
    dockerDefault: { capabilities: defaultCapabilities },
    ...input,
  });
}

const docker = (...args: string[]) => run('docker', args, { timeout: 60_000 });
const seccomp = (file: string) => ['--security-opt', `seccomp=${file}`];

describe('a rendered profile and a real engine', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'profile-e2e-'));
    await writeFile(join(directory, 'calls.c'), program);
    await run('gcc', ['-static', '-O1', '-o', join(directory, 'calls'), join(directory, 'calls.c')]);
    await run('tar', ['-C', directory, '-cf', join(directory, 'image.tar'), 'calls']);
    await docker('import', join(directory, 'image.tar'), image);
  });

  afterAll(async () => {
    await docker('image', 'rm', '--force', image);
    await rm(directory, { recursive: true });
  });

  it('starts, executes and stops each time under the runtime base and its own calls', async () => {
    const file = await profileFile(renderDockerProfile(await profileOf({})));
    for (let start = 0; start < starts; start++) {
      const name = `profile-e2e-${process.pid}-${start}`;
      try {
        await docker('run', '--detach', '--name', name, ...seccomp(file), image, '/calls', 'wait');
        const { stdout } = await docker('exec', name, '/calls');
        expect(stdout).toContain('unix=94');
        await docker('stop', '--time', '10', name);
        const state = await docker('inspect', '--format', '{{.State.ExitCode}}', name);
        expect(state.stdout.trim()).toBe('0');
      } finally {
        await docker('rm', '--force', name);
      }
    }
  });

  it('answers as the profile says: ENOSYS 38, EPERM 1, and by arguments', async () => {
    const file = await profileFile(renderDockerProfile(await profileOf({})));
    const { stdout } = await docker('run', '--rm', ...seccomp(file), image, '/calls');
    expect(stdout).toBe('clone3=38 statx=38 uname=1 last=38 alg=1 unix=94\n');
  });

  it('lets the same calls through when they are allowed', async () => {
    const extra = ['clone3', 'statx', 'uname', 'socket'].map((name) => ({ name, reason: 'test' }));
    const file = await profileFile(renderDockerProfile(await profileOf({ extra, dockerDefault: undefined })));
    const { stdout } = await docker('run', '--rm', ...seccomp(file), image, '/calls');
    // The kernel's own answers to senseless arguments: EINVAL 22, EFAULT 14; sockets of type 0: EAFNOSUPPORT 97 where
    // the machine lacks AF_ALG, ESOCKTNOSUPPORT 94.
    expect(stdout).toMatch(/^clone3=22 statx=14 uname=14 last=38 alg=(97|94) unix=94\n$/);
  });

  it("accepts moby's default profile after it was read and written again", async () => {
    const file = await profileFile(formatDockerProfile(mobyDefaultProfile()));
    const { stdout } = await docker('run', '--rm', ...seccomp(file), image, '/calls');
    expect(stdout).toContain('clone3=38');
  });
});
