import { ProfGenError, x86_64Syscalls } from '@prof-gen/core';
import { Container } from '../container/container.js';
import type { Engine } from '../engine/engine.js';
import type { Bpftrace } from '../program/bpftrace.js';
import { observedRecord } from '../record/observed-record.js';
import { importPrograms } from './import-programs.js';
import { tinyProgram } from './tiny-program.js';

const program = '/prof-gen-self-test';
/** Called once each, in this order, before exit_group. */
const calls = ['getpid', 'getpgrp', 'getuid', 'sched_yield'];
/** Denied by the test's profile (the runtime has no use for it), and its result ignored: the program ends with status 0 all the same. */
const denied = 'getpgrp';
const limit = 20_000;

function profileWithout(name: string): string {
  const all = x86_64Syscalls.names.filter((other) => other !== name);
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: all, action: 'SCMP_ACT_ALLOW' }],
  });
}

/**
 * Runs a program of a few known calls in a container, one of them denied, and compares.
 * @throws ProfGenError `environment/self-test`
 */
export async function selfTest(engine: Engine, bpftrace: Bpftrace, signal: AbortSignal): Promise<void> {
  const tag = `prof-gen/self-test:${engine.owner}`;
  const numbers = calls.map((name) => x86_64Syscalls.numberOf(name) ?? -1);
  await importPrograms(engine, tag, [{ path: program, content: tinyProgram(numbers) }]);
  const slots: number[] = [];
  let container: Container | undefined;
  try {
    container = await Container.create(
      engine,
      {
        image: tag,
        network: 'none',
        seccomp: profileWithout(denied),
        limits: { memoryBytes: 64 * 1024 ** 2, processes: 16 },
      },
      signal,
    );
    slots.push(bpftrace.watch(container.id));
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
          syscalls: [...calls.filter((name) => name !== denied), 'exit_group']
            .sort((a, b) => (x86_64Syscalls.numberOf(a) ?? 0) - (x86_64Syscalls.numberOf(b) ?? 0))
            .map((name) => `${name} 1`),
        },
      ],
      denials: [`${denied} EPERM 1`],
    };
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new ProfGenError(
        'environment/self-test',
        `the tracer does not see what it must: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
        { hint: 'this kernel or bpftrace is not supported; report it, and use --static meanwhile' },
      );
    }
  } finally {
    await container?.remove();
    bpftrace.release(slots);
    await engine.call('remove the self-test', () => engine.docker.getImage(tag).remove({ force: true }));
  }
}
