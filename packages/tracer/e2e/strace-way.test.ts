import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Observation, workloadSchema, x86_64Syscalls } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTracer, type Tracer } from '../src/index.js';

const image = 'prof-gen-test/strace-way:1';
const source = `
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "fork";
  if (!strcmp(way, "fork")) {
    if (fork() == 0) { char *next[] = {"/second", "two words", "", 0}; execv("/missing", next); execv(next[0], next); _exit(9); }
    int status; wait(&status);
    return WEXITSTATUS(status);
  }
  if (!strcmp(way, "denied")) { syscall(SYS_swapoff, "/"); socket(38, SOCK_SEQPACKET, 0); return 0; }
  if (!strcmp(way, "foreign")) { long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); return r < 0; }
  if (!strcmp(way, "stay")) { pause(); return 0; }
  return 0;
}
`;

let tracer: Tracer;
let directory: string;
const docker = (...argv: string[]): string => execFileSync('docker', argv, { encoding: 'utf8' });
const ours = (): string => docker('ps', '-aq', '--filter', 'label=prof-gen', '--filter', `ancestor=${image}`);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-strace-way-'));
  writeFileSync(join(directory, 'first.c'), source);
  writeFileSync(
    join(directory, 'second.c'),
    '#include <unistd.h>\nint main(void) { return getsid(0) < 0 ? 1 : 0; }',
  );
  for (const name of ['first', 'second']) {
    execFileSync('gcc', ['-static', '-O1', '-o', join(directory, name), join(directory, `${name}.c`)]);
  }
  execFileSync('sh', ['-c', `tar -C ${directory} -c first second | docker import - ${image}`]);
  tracer = await openTracer({ method: 'strace' });
});

afterAll(async () => {
  await tracer?.close();
  spawnSync('docker', ['image', 'rm', '-f', image]);
  rmSync(directory, { recursive: true, force: true });
});

const observe = (cmd: string[], deniedByDefault: string[] = []): Promise<Observation> =>
  tracer.observe({
    name: cmd.join(' '),
    image,
    overrides: { cmd, env: ['PATH=/none:/'], workingDir: '/' },
    exercise: { quietWithoutPorts: 300, stop: 3_000 },
    deniedByDefault: new Set(deniedByDefault.map((name) => x86_64Syscalls.numberOf(name) ?? -1)),
  });
const names = (seen: Observation, path: string): string[] =>
  (seen.programs.find((program) => program.path === path)?.syscalls ?? [])
    .map(({ number }) => x86_64Syscalls.nameOf(number) ?? '?')
    .sort();

/** Distinct calls of a static program outside any container, the execution that started it left out. */
function straced(...argv: string[]): string[] {
  const { stderr } = spawnSync('strace', ['-qq', '-e', 'signal=none', ...argv], { encoding: 'utf8' });
  const seen = stderr.split('\n').flatMap((line) => /^(\w+)\(/.exec(line)?.[1] ?? []);
  return [...new Set(seen)].filter((name) => name !== 'execve').sort();
}

describe('observation through strace', () => {
  it('sees a program from its first instruction to its exit, found as the runtime finds it', async () => {
    const seen = await observe(['second']);
    expect(seen.method).toBe('strace');
    expect(names(seen, '/second')).toEqual(straced(join(directory, 'second')));
    expect(seen.programs).toMatchObject([{ path: '/second', argvs: [['second']], phase: 'start' }]);
    // Once as it ends by itself, and, where that was noticed in time, once more with its input open.
    expect(seen.programs[0]?.syscalls.find(({ number }) => number === 124)).toEqual({
      number: 124,
      count: seen.phases.some(({ name }) => name === 'input') ? 2 : 1,
      process: 'second',
      phase: 'start',
    });
    expect(seen.failedExecs).toEqual([]);
  });

  it('gives each program its own calls, arguments and failures', async () => {
    const seen = await observe(['/first', 'fork']);
    expect(seen.programs.map(({ path }) => path)).toEqual(['/first', '/second']);
    expect(seen.programs[1]?.argvs).toEqual([['/second', 'two words', '']]);
    expect(names(seen, '/second')).toContain('getsid');
    expect(names(seen, '/first')).not.toContain('getsid');
    expect(seen.failedExecs).toContainEqual({
      path: '/missing',
      program: '/first',
      phase: 'start',
      errno: 'ENOENT',
    });
  });

  it('tells a denial where the call alone decides, and leaves the rest undecided', async () => {
    const seen = await observe(['/first', 'denied'], ['swapoff']);
    // Once for each time that the exercise runs it: a program that ends by itself may be given input, too.
    expect(new Set(seen.denials.map(({ phase }) => phase)).size).toBe(seen.denials.length);
    expect(seen.denials).toContainEqual(expect.objectContaining({ name: 'swapoff', phase: 'start' }));
    for (const denial of seen.denials) {
      expect(denial).toMatchObject({ name: 'swapoff', errno: 'EPERM', expected: true, program: '/first' });
    }
    expect(names(seen, '/first')).not.toContain('swapoff');
    // Docker's default denies it for its arguments, or the kernel for others: strace does not know.
    expect(names(seen, '/first')).toContain('socket');
  });

  it('keeps 32-bit calls apart', async () => {
    const { foreignCalls } = await observe(['/first', 'foreign']);
    expect(foreignCalls).toMatchObject([{ abi: 'i386', number: 20, program: '/first', phase: 'start' }]);
  });

  it('sees what is executed by exec, in its phase, and a workload that is to be learnt from', async () => {
    const seen = await tracer.observe({
      name: 'workload',
      image,
      overrides: { cmd: ['/first', 'stay'] },
      exercise: { quietWithoutPorts: 300, stop: 1_000 },
      workload: workloadSchema.parse({
        schemaVersion: 1,
        name: 'stay',
        description: 'stays until it is told to go',
        cmd: ['/first', 'stay'],
        ready: { command: ['/second'], timeout: 60 },
        steps: [
          { name: 'beside', in: 'container', run: ['/second', 'again'] },
          { name: 'missing', in: 'container', run: ['/none'], expect: { exit: 127 } },
        ],
        stop: { exit: 'any', timeout: 1 },
      }),
    });
    const steps = seen.phases.flatMap(({ steps }) => steps.map(({ name, passed }) => `${name} ${passed}`));
    expect(steps).toEqual(expect.arrayContaining(['is ready true', 'beside true', 'missing true']));
    expect(seen.programs.find(({ path }) => path === '/second')).toMatchObject({
      argvs: [['/second'], ['/second', 'again']],
    });
  });

  it('says what is wrong with the image or the command', async () => {
    const absent = tracer.observe({ name: 'x', image: 'prof-gen-test/absent:1', overrides: {} });
    await expect(absent).rejects.toMatchObject({ code: 'trace/no-image' });
    await expect(observe(['/nothing'])).rejects.toMatchObject({ code: 'trace/start' });
    await expect(observe(['nothing'])).rejects.toMatchObject({ code: 'trace/start' });
  });

  it('proves nothing', async () => {
    const proof = tracer.prove({ name: 'x', image, overrides: {}, profile: '{}' });
    await expect(proof).rejects.toMatchObject({ code: 'usage/proof-needs-bpftrace' });
  });

  it('removes its containers and, at the end, its image', async () => {
    expect(ours()).toBe('');
    const other = await openTracer({ method: 'strace' });
    const tags = () =>
      docker('images', '--format', '{{.Repository}}:{{.Tag}}', 'prof-gen/strace').trim().split('\n');
    const during = tags();
    await other.close();
    expect(during.length).toBeGreaterThan(0);
    expect(docker('ps', '-a', '--format', '{{.Command}}', '--filter', 'label=prof-gen')).not.toContain(
      'strace -f',
    );
  });

  it('takes an image that somebody names, and says when it is no good', async () => {
    const absent = openTracer({ method: 'strace', straceImage: 'prof-gen-test/absent:1' });
    await expect(absent).rejects.toMatchObject({ code: 'environment/strace' });
    // It has no strace: the engine's own words.
    const wrong = openTracer({ method: 'strace', straceImage: image });
    await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining('strace') });
  });
});
