import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Observation, type Proof, type Workload, workloadSchema } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTracer, type Tracer } from '../src/index.js';
import { callsOf, type ProgramImage, profileWithout, programImage, runOnce } from './fixture.js';

const image = 'prof-gen-test/tracer:1';
const source = `
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "plain";
  if (!strcmp(way, "fork")) {
    pid_t child = fork();
    if (child == 0) { char *next[] = {"/second", "two words", "", 0}; execv("/missing", next); execv(next[0], next); _exit(9); }
    int status; waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  if (!strcmp(way, "swallow")) { getpgrp(); getpgrp(); return 0; }
  if (!strcmp(way, "serve")) {
    getpgrp();
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7000)};
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (void *)&any, sizeof any) || listen(server, 8)) return 1;
    for (;;) close(accept(server, 0, 0));
  }
  if (!strcmp(way, "sleep")) { sleep(60); return 0; }
  if (!strcmp(way, "spin")) { for (int i = 0; i < 500; i++) syscall(SYS_getuid); write(1, "spun\\n", 5); return 0; }
  if (!strcmp(way, "thread")) return syscall(SYS_getpgrp) < 0;
  return 0;
}
`;

let tracer: Tracer;
let programs: ProgramImage;
const docker = (...argv: string[]): string => execFileSync('docker', argv, { encoding: 'utf8' });

beforeAll(async () => {
  programs = programImage(image, {
    first: source,
    second: '#include <unistd.h>\nint main(void) { return getsid(0) < 0 ? 1 : 0; }',
  });
  tracer = await openTracer({});
});

afterAll(async () => {
  await tracer?.close();
  programs?.remove();
});

const quick = { quietWithoutPorts: 300, stop: 3_000 };
const observe = (way: string, name = way): Promise<Observation> =>
  tracer.observe({ name, image, overrides: { cmd: ['/first', way] }, exercise: quick });

const prove = (way: string, profile: string, fallback: string[] = []): Promise<Proof> =>
  tracer.prove({
    name: way,
    image,
    overrides: {},
    profile,
    workload: runOnce('/first', way),
    isExpected: ({ name, errno }) => errno === 'ENOSYS' && fallback.includes(name),
  });
const names = (seen: Observation | Proof, path: string): string[] => [...callsOf(seen, path).keys()].sort();

/** Distinct calls that strace sees a static program make outside any container, the first execve left out. */
function straced(...argv: string[]): string[] {
  const { stderr } = spawnSync('strace', ['-f', '-qq', '-e', 'signal=none', ...argv], { encoding: 'utf8' });
  const lines = stderr.split('\n').map((line) => line.replace(/^\[pid +\d+\] /, ''));
  const seen = lines.map((line) => /^(\w+)\(/.exec(line)?.[1]).filter((name) => name !== undefined);
  return [...new Set(seen)].filter((name) => name !== 'execve').sort();
}

describe('observation', () => {
  it('sees exactly what strace sees', async () => {
    const seen = await observe('plain');
    expect(names(seen, '/first')).toEqual(straced(join(programs.directory, 'first'), 'plain'));
    expect(seen.denials).toEqual([]);
  });

  it('counts, and names the phase and the process', async () => {
    const seen = await observe('spin');
    const getuid = seen.programs[0]?.syscalls.find(({ number }) => number === 102);
    // Once as it ends by itself, and once more with its input open.
    expect(getuid).toEqual({ number: 102, count: 1000, process: 'first', phase: 'start' });
  });

  it('gives each program its own calls, arguments and failures', async () => {
    const seen = await observe('fork');
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

  it('keeps two containers at once apart', async () => {
    const [one, two] = await Promise.all([observe('fork'), observe('swallow')]);
    expect(names(one, '/first')).not.toContain('getpgrp');
    expect(names(two, '/first')).toContain('getpgrp');
    expect(two.programs.map(({ path }) => path)).toEqual(['/first']);
  });

  it('ends at its time limit and removes the container', async () => {
    const late = tracer.observe({
      name: 'late',
      image,
      overrides: { cmd: ['/first', 'sleep'] },
      limits: { seconds: 2 },
      exercise: { quietWithoutPorts: 20_000 },
    });
    await expect(late).rejects.toMatchObject({ code: 'trace/time-limit' });
    expect(docker('ps', '-aq', '--filter', `ancestor=${image}`)).toBe('');
  });

  it('says what is wrong with the image or the command', async () => {
    const absent = tracer.observe({ name: 'x', image: 'prof-gen-test/absent:1', overrides: {} });
    await expect(absent).rejects.toMatchObject({ code: 'trace/no-image' });
    const wrong = tracer.observe({ name: 'x', image, overrides: { cmd: ['/nothing'] } });
    await expect(wrong).rejects.toMatchObject({ code: 'trace/start' });
    expect(docker('ps', '-aq', '--filter', `ancestor=${image}`)).toBe('');
  });
});

describe('proof', () => {
  it('passes when nothing is denied', async () => {
    const proof = await prove('swallow', profileWithout([]));
    expect(proof).toMatchObject({ status: 'passed', denials: [] });
  });

  it('catches a denial that the program swallows', async () => {
    const proof = await prove('swallow', profileWithout(['getpgrp']));
    expect(proof.phases.flatMap(({ steps }) => steps).filter(({ passed }) => !passed)).toEqual([]);
    expect(proof.status).toBe('failed');
    expect(proof.denials).toEqual([
      {
        number: 111,
        name: 'getpgrp',
        program: '/first',
        process: 'first',
        phase: 'start',
        errno: 'EPERM',
        count: 2,
        expected: false,
      },
    ]);
  });

  it('takes an ENOSYS for what it is meant as', async () => {
    const profile = profileWithout([], ['getpgrp']);
    const meant = await prove('thread', profile, ['getpgrp']);
    expect(meant.denials).toMatchObject([{ name: 'getpgrp', errno: 'ENOSYS', expected: true }]);
    const unmeant = await prove('thread', profile);
    expect(unmeant.denials).toMatchObject([{ name: 'getpgrp', errno: 'ENOSYS', expected: false }]);
    // The program exits with 1 without the call: an expected denial does not excuse a failed step.
    expect([meant.status, unmeant.status]).toEqual(['failed', 'failed']);
  });

  it('has servers beside the container from its start to its end, not under the profile', async () => {
    const beside = (way: string, port: number, timeout: number): Workload =>
      workloadSchema.parse({
        ...runOnce('/first', 'sleep'),
        beside: [{ name: 'other', cmd: ['/first', way], ready: { port, timeout } }],
        ready: { command: ['/first', 'plain'] },
        stop: { signal: 'SIGKILL', exit: 'any' },
      });
    const input = { name: 'beside', image, overrides: {}, profile: profileWithout(['getpgrp']) };
    const served = await tracer.prove({ ...input, workload: beside('serve', 7000, 20) });
    expect(served.phases[0]?.steps).toMatchObject([
      { name: 'starts', passed: true },
      { name: 'other beside it is ready', passed: true },
      { name: 'is ready', passed: true },
    ]);
    expect(served.status).toBe('passed');
    const missing = await tracer.prove({ ...input, workload: beside('sleep', 7000, 1) });
    expect(missing.status).toBe('failed');
    expect(missing.phases[0]?.steps[1]).toMatchObject({
      name: 'other beside it is ready',
      passed: false,
      detail: expect.stringContaining('not ready after 1 s'),
    });
    expect(docker('ps', '-aq', '--filter', `ancestor=${image}`)).toBe('');
  });

  it('fails, and does not throw, when the container cannot start under the profile', async () => {
    const proof = await prove('plain', profileWithout(['execve']));
    expect(proof.status).toBe('failed');
    expect(docker('ps', '-aq', '--filter', `ancestor=${image}`)).toBe('');
  });
});

describe('what is left behind', () => {
  it('is removed at the next start when its maker is gone, and kept while it lives', async () => {
    const stranger = spawn('sleep', ['60']);
    const owner = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', 'process.stdout.write("00000000-1-1")'],
      { encoding: 'utf8' },
    );
    const make = (by: string): string =>
      docker('create', '--label', 'prof-gen=1', '--label', `prof-gen.owner=${by}`, image, '/first').trim();
    const stat = execFileSync('cut', ['-d', ' ', '-f22', `/proc/${stranger.pid}/stat`], {
      encoding: 'utf8',
    }).trim();
    const boot = execFileSync('cut', ['-c1-8', '/proc/sys/kernel/random/boot_id'], {
      encoding: 'utf8',
    }).trim();
    const dead = make(owner);
    const alive = make(`${boot}-${stranger.pid}-${stat}`);
    const volume = docker(
      'volume',
      'create',
      '--label',
      'prof-gen=1',
      '--label',
      `prof-gen.owner=${owner}`,
    ).trim();
    try {
      const other = await openTracer({});
      const left = docker('ps', '-aq', '--no-trunc');
      expect(left).not.toContain(dead);
      expect(left).toContain(alive);
      expect(docker('volume', 'ls', '-q')).not.toContain(volume);
      await other.close();
    } finally {
      stranger.kill();
      spawnSync('docker', ['rm', '-f', alive]);
    }
  });

  it('is removed when the caller gives up', async () => {
    const giveUp = new AbortController();
    const other = await openTracer({ signal: giveUp.signal });
    const running = other.observe({
      name: 'given up',
      image,
      overrides: { cmd: ['/first', 'sleep'] },
      exercise: { quietWithoutPorts: 20_000 },
    });
    setTimeout(() => giveUp.abort(new Error('Ctrl-C')), 1_500);
    await expect(running).rejects.toThrow('Ctrl-C');
    expect(docker('ps', '-aq', '--filter', `ancestor=${image}`)).toBe('');
    await other.close();
  });
});
