import { ProfGenError, x86_64Syscalls } from '@prof-gen/core';
import { Container } from '../container/container.js';
import type { Engine } from '../engine/engine.js';
import type { Bpftrace } from '../program/bpftrace.js';
import { judgedCalls } from '../record/judged-calls.js';
import { observedRecord } from '../record/observed-record.js';
import { slower } from '../program/slower-way.js';
import { importPrograms } from './import-programs.js';
import { tinyProgram } from './tiny-program.js';

const program = '/prof-gen-self-test';
/**
 * What the test's profile denies, and the first argument that it lets through. The runtime has no use for either; their
 * results are ignored: the program ends with status 0 all the same.
 */
const denied = 'getpgrp';
const judged = { name: 'getsid', argument: 0 };
/** Made in this order, before exit_group; the kernel has no such process and says ESRCH. */
const noProcess = 0x7fffffff;
const made: readonly { readonly name: string; readonly argument?: number }[] = [
  { name: 'getpid' },
  { name: denied },
  { name: 'getuid' },
  judged,
  { name: judged.name, argument: noProcess },
  judged,
  { name: 'getpgid', argument: noProcess },
  { name: 'sched_yield' },
];
const limit = 20_000;

const profile = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [
    {
      names: x86_64Syscalls.names.filter((name) => name !== denied && name !== judged.name),
      action: 'SCMP_ACT_ALLOW',
    },
    {
      names: [judged.name],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: judged.argument, op: 'SCMP_CMP_EQ' }],
    },
  ],
});

/**
 * Runs a program of a few known calls in a container and compares: one is denied, one is denied by its argument after it
 * was let through, and one the kernel refuses.
 * @throws ProfGenError `environment/self-test`
 */
export async function selfTest(engine: Engine, bpftrace: Bpftrace, signal: AbortSignal): Promise<void> {
  const tag = `prof-gen/self-test:${engine.owner}`;
  const calls = made.map(({ name, ...rest }) => ({ number: x86_64Syscalls.numberOf(name) ?? -1, ...rest }));
  await importPrograms(engine, tag, [{ path: program, content: tinyProgram(calls) }]);
  const slots: number[] = [];
  let container: Container | undefined;
  try {
    container = await Container.create(
      engine,
      {
        image: tag,
        network: 'none',
        seccomp: profile,
        limits: { memoryBytes: 64 * 1024 ** 2, processes: 16 },
      },
      signal,
    );
    slots.push(await bpftrace.watch(container.id, judgedCalls(profile)));
    await container.start();
    const exit = await container.waitForExit(limit);
    const [record] = await bpftrace.collect(slots);
    const seen = observedRecord(record === undefined ? [] : [{ record, mounts: container.mounts }], ['test']);
    const found = {
      exit,
      programs: seen.programs.map(({ path, syscalls }) => ({
        path,
        syscalls: syscalls.map(({ number, count }) => `${x86_64Syscalls.nameOf(number)} ${count}`),
      })),
      denials: seen.denials.map(({ name, errno, count }) => `${name} ${errno} ${count}`),
    };
    const expected = {
      exit: 0,
      programs: [
        {
          path: program,
          syscalls: ['sched_yield 1', 'getpid 1', 'getuid 1', 'getpgid 1', 'getsid 2', 'exit_group 1'],
        },
      ],
      denials: [`${denied} EPERM 1`, `${judged.name} EPERM 1`],
    };
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new ProfGenError(
        'environment/self-test',
        `the tracer does not see what it must: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
        { hint: `this kernel or bpftrace is not supported: report it; ${slower}` },
      );
    }
  } finally {
    await container?.remove();
    bpftrace.release(slots);
    await engine.call('remove the self-test', () => engine.docker.getImage(tag).remove({ force: true }));
  }
}
