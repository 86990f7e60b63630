import { ProfGenError, x86_64Syscalls } from '@prof-gen/core';
import type { Engine } from '../engine/engine.js';
import { Run } from '../run.js';
import { importPrograms } from '../self-test/import-programs.js';
import { tinyProgram } from '../self-test/tiny-program.js';
import { provideStraceImage } from '../strace/strace-image.js';
import { type EngineClock, straceWay } from './strace-way.js';
import type { Way } from './way.js';

export interface StraceWayOptions {
  readonly straceImage?: string;
  readonly signal?: AbortSignal;
}

/**
 * Provides the helpers' image and has them watch a program of known behaviour.
 * @throws ProfGenError `environment/strace`, `environment/self-test`
 */
export async function openStraceWay(engine: Engine, options: StraceWayOptions): Promise<Way> {
  const clock = await engineClock(engine);
  const way = straceWay(engine, await provideStraceImage(engine, options.straceImage), clock);
  try {
    await selfTest(engine, way, options.signal ?? new AbortController().signal);
  } catch (thrown) {
    await way.close();
    throw thrown;
  }
  return way;
}

/** This process's clock, put right by the engine's (SystemTime of /info) where the two are not the same. */
async function engineClock(engine: Engine): Promise<EngineClock> {
  const before = Date.now();
  const { SystemTime } = (await engine.call('tell its time', () => engine.docker.info())) as {
    readonly SystemTime?: string;
  };
  const after = Date.now();
  const theirs = Date.parse(SystemTime ?? '');
  const same = Number.isNaN(theirs) || (theirs >= before && theirs <= after);
  const ahead = same ? 0 : theirs - (before + after) / 2;
  return { now: () => (Date.now() + ahead) / 1000 };
}

const program = '/prof-gen-self-test';
/** Called once each, before exit_group. */
const calls = ['getpid', 'getpgrp', 'getuid', 'sched_yield'];
const limit = 20_000;

/** @throws ProfGenError `environment/self-test`, `environment/strace` */
async function selfTest(engine: Engine, way: Way, signal: AbortSignal): Promise<void> {
  const tag = `prof-gen/self-test:${engine.owner}`;
  const numbers = calls.map((name) => ({ number: x86_64Syscalls.numberOf(name) ?? -1 }));
  await importPrograms(engine, tag, [{ path: program, content: tinyProgram(numbers) }]);
  const watch = await way.watch({ workingDir: '/', tree: undefined, filtered: new Set() });
  const run = new Run({
    engine,
    watch,
    image: tag,
    overrides: {},
    limits: { memoryBytes: 64 * 1024 ** 2, processes: 16 },
    signal,
  });
  try {
    run.phase('test');
    const container = await run.container({});
    await container.start();
    const exit = await container.waitForExit(limit);
    const { record, complete } = await run.record();
    const found = {
      exit,
      complete,
      programs: record.programs.map(({ path, syscalls }) => ({
        path,
        syscalls: syscalls.map(({ number, count }) => `${x86_64Syscalls.nameOf(number)} ${count}`),
      })),
    };
    const sorted = [...calls, 'exit_group'].sort(
      (a, b) => (x86_64Syscalls.numberOf(a) ?? 0) - (x86_64Syscalls.numberOf(b) ?? 0),
    );
    const expected = {
      exit: 0,
      complete: true,
      programs: [{ path: program, syscalls: sorted.map((name) => `${name} 1`) }],
    };
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new ProfGenError(
        'environment/self-test',
        `strace does not show what it must: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
        { hint: 'this engine or strace is not supported: report it, and use --static meanwhile' },
      );
    }
  } catch (thrown) {
    if (!(thrown instanceof ProfGenError) || thrown.code !== 'trace/strace') throw thrown;
    throw new ProfGenError('environment/strace', thrown.message, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      causes: [thrown],
    });
  } finally {
    await run.close();
    await engine.call('remove the self-test', () => engine.docker.getImage(tag).remove({ force: true }));
  }
}
