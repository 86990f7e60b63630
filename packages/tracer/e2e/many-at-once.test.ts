import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Proof } from '@prof-gen/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTracer, type Tracer, type TracerOptions } from '../src/index.js';
import { callsOf, type ProgramImage, profileWithout, programImage, runOnce } from './fixture.js';

const image = 'prof-gen-test/many:1';
/** `/storm N` starts /short N times, eight at once; `/count N` makes a call N times; `/wait` waits. */
const sources = {
  storm: `
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int left = atoi(argv[1]), running = 0, failed = 0, status;
  while (left + running > 0) {
    if (left > 0 && running < 8) {
      if (fork() == 0) { execl("/short", "short", (char *)0); _exit(9); }
      left--; running++;
    } else { wait(&status); running--; failed += status != 0; }
  }
  return failed;
}`,
  short: '#include <unistd.h>\nint main(void) { return getsid(0) < 0; }',
  count: `
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  for (int i = atoi(argv[1]); i > 0; i--) syscall(SYS_getuid);
  return 0;
}`,
  wait: '#include <unistd.h>\nint main(void) { pause(); return 0; }',
  // Two hundred calls for the first time at once: a line each.
  burst: `
#include <sys/syscall.h>
#include <unistd.h>
static const int waits[] = { 15, 22, 34, 56, 57, 58, 59, 60, 130, 162, 231 };
int main(void) {
  for (int number = 0; number < 300; number++) {
    int skip = number < 15;
    for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) skip |= waits[i] == number;
    if (!skip) syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
  }
  _exit(0);
}`,
};

let programs: ProgramImage;
let shared: Tracer;
let notes: string[] = [];
const open = (options: Pick<TracerOptions, 'bufferPages'>): Promise<Tracer> =>
  openTracer({
    ...options,
    onEvent: (event) => {
      if (event.type === 'note') notes.push(event.message);
    },
  });
beforeAll(async () => {
  programs = programImage(image, sources);
  shared = await open({});
});
beforeEach(() => {
  notes = [];
});
afterAll(async () => {
  await shared?.close();
  programs?.remove();
});

const prove = (tracer: Tracer, ...cmd: string[]): Promise<Proof> =>
  tracer.prove({
    name: cmd.join(' '),
    image,
    overrides: {},
    profile: profileWithout([]),
    workload: runOnce(...cmd),
  });

describe('many at once', () => {
  it('counts every process of a storm over four containers, and every call of eight containers', async () => {
    const storms = await Promise.all(
      [1, 2, 3, 4].map((number) => prove(shared, '/storm', `${100 * number}`)),
    );
    for (const [index, proof] of storms.entries()) {
      const each = 100 * (index + 1);
      expect(proof.status).toBe('passed');
      expect(callsOf(proof, '/short').get('getsid')).toBe(each);
      expect(callsOf(proof, '/short').get('exit_group')).toBe(each);
      // Made by the child before it becomes the other program.
      expect(callsOf(proof, '/storm').get('execve')).toBe(each);
    }
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => 1000 * number);
    const counted = await Promise.all(numbers.map((number) => prove(shared, '/count', `${number}`)));
    expect(counted.map((proof) => callsOf(proof, '/count').get('getuid'))).toEqual(numbers);
    expect(notes).toEqual([]);
  });

  it('gives each container its own limits and network, and no privilege', async () => {
    const docker = async (...argv: string[]) => (await promisify(execFile)('docker', argv)).stdout.trim();
    const running = [1, 2].map((number) =>
      shared.prove({
        name: 'limits',
        image,
        overrides: {},
        limits: { memoryBytes: 64 * 1024 ** 2, processes: 20 + number },
        profile: profileWithout([]),
        workload: runOnce('/wait'),
      }),
    );
    const ids = async () =>
      (await docker('ps', '--quiet', '--filter', `ancestor=${image}`)).split('\n').filter(Boolean);
    await expect.poll(async () => (await ids()).length, { timeout: 60_000 }).toBe(2);
    const found = JSON.parse(await docker('inspect', ...(await ids()))) as Inspected[];
    const networks = found.flatMap(({ NetworkSettings }) => Object.keys(NetworkSettings.Networks));
    const ofEngine = JSON.parse(await docker('network', 'inspect', ...networks)) as { Internal: boolean }[];
    await docker('kill', ...(await ids()));
    await Promise.all(running);

    expect(found.map(({ HostConfig }) => HostConfig.PidsLimit).sort()).toEqual([21, 22]);
    expect(new Set(networks).size).toBe(2);
    expect(ofEngine.map(({ Internal }) => Internal)).toEqual([true, true]);
    for (const { HostConfig, Mounts, Config } of found) {
      const { SecurityOpt, ...host } = HostConfig;
      // The profile, and nothing that would loosen what the engine does by itself.
      expect(SecurityOpt).toEqual([`seccomp=${profileWithout([])}`]);
      expect(host).toMatchObject({
        Memory: 64 * 1024 ** 2,
        MemorySwap: 64 * 1024 ** 2,
        Privileged: false,
        PublishAllPorts: false,
        PortBindings: null,
        Binds: null,
        CapAdd: null,
        CapDrop: null,
        Devices: null,
        PidMode: '',
        UTSMode: '',
        UsernsMode: '',
        IpcMode: 'private',
        LogConfig: { Type: 'none' },
      });
      expect(host.MaskedPaths).toContain('/proc/kcore');
      expect(host.ReadonlyPaths).toContain('/proc/sys');
      expect(Mounts).toEqual([]);
      expect(Config.Labels['prof-gen.owner']).toContain(`-${process.pid}-`);
    }
  });
});

describe('lost lines', () => {
  it('are noticed, and the run is repeated with larger buffers', async () => {
    const complete = await prove(shared, '/burst');
    expect(callsOf(complete, '/burst').size).toBeGreaterThan(200);
    expect(notes).toEqual([]);
    const small = await open({ bufferPages: 1 });
    try {
      const proof = await prove(small, '/burst');
      expect(notes).toContain(
        'what /burst did was not seen completely: it is run once more, with buffers of 4 pages',
      );
      expect(proof.programs).toEqual(complete.programs);
    } finally {
      await small.close();
    }
  });
});

interface Inspected {
  readonly HostConfig: {
    readonly PidsLimit: number;
    readonly SecurityOpt: readonly string[];
    readonly MaskedPaths: readonly string[];
    readonly ReadonlyPaths: readonly string[];
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
  readonly Mounts: readonly unknown[];
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}
