import { type EventSink, ignoreEvents, ProfGenError, type RuntimeBase, x86_64Syscalls } from '@prof-gen/core';
import type Docker from 'dockerode';
import { defaultSocket, Engine } from '../engine/engine.js';
import { removeContainer } from '../engine/remove-container.js';
import { importPrograms } from '../self-test/import-programs.js';
import { tinyProgram } from '../self-test/tiny-program.js';
import { callsUnderNewFilters } from './runtime-calls.js';

export interface MeasureOptions {
  /** The engine's socket; DOCKER_HOST or Docker's usual one when absent. */
  readonly socketPath?: string;
  /** Starts in each way, with and without each call. */
  readonly rounds?: number;
  readonly onEvent?: EventSink;
  readonly signal?: AbortSignal;
}

/** A way to start a program in a container. */
interface Way {
  readonly name: string;
  readonly options?: Docker.ContainerCreateOptions;
  readonly host?: Pick<Docker.HostConfig, 'Init' | 'ReadonlyRootfs'>;
  readonly securityOptions?: readonly string[];
  /** By exec in a container that runs already: as a person's `docker exec` and the engine's health checks. */
  readonly exec?: { readonly Tty?: boolean; readonly User?: string };
}

const ways: readonly Way[] = [
  { name: 'root' },
  { name: 'user', options: { User: '65534:65534' } },
  { name: 'no-new-privileges', securityOptions: ['no-new-privileges'] },
  { name: 'terminal', options: { Tty: true } },
  { name: 'read-only', host: { ReadonlyRootfs: true } },
  { name: 'working directory', options: { WorkingDir: '/tmp/made' } },
  { name: 'exec and health check', exec: {} },
  { name: 'exec with a terminal', exec: { Tty: true } },
  { name: 'exec as another user', exec: { User: '65534:65534' } },
];
/** Started by docker-init, a program in the container, whose own calls come after the runtime's. */
const init: Way = { name: 'init', host: { Init: true } };

/**
 * What the Go runtime inside runc calls now and then, between the filter and the exec: leaving one out fails some
 * starts only, so that no measurement finds it. Without exit_group a failing exec hangs for ever.
 */
const calledByGo = (
  'rt_sigreturn futex nanosleep tgkill getpid epoll_pwait epoll_ctl fcntl sched_yield mmap munmap madvise ' +
  'rt_sigprocmask exit_group exit'
).split(' ');
const always = ['execve', 'exit', 'exit_group'];

const tag = 'prof-gen/runtime-base';
const program = '/program';
const waiting = '/waiting';
const pause = x86_64Syscalls.numberOf('pause') ?? 34;
/** What the two programs call themselves. */
const own = ['pause', 'exit_group'];
const startLimit = 20_000;

/**
 * Measures which calls the engine's runtime needs between loading the filter and executing the program. First it looks
 * which ones are made at all, and denies all others; then these are left out one after the other, and stay so where every
 * way to start a program still works.
 * @throws ProfGenError `environment/…`, `trace/runtime-base` when what was found does not suffice
 */
export async function measureRuntimeBase(options: MeasureOptions = {}): Promise<RuntimeBase> {
  const { rounds = 3, onEvent = ignoreEvents, signal } = options;
  const engine = await Engine.open(options.socketPath ?? defaultSocket());
  const { engine: facts } = await engine.facts();
  await engine.removeLeftovers();
  const image = `${tag}:${engine.owner}`;
  const tell = (message: string): void => onEvent({ type: 'note', image: facts.runtime, message });
  const isGo = /runc/.test(facts.runtime);
  const started = (way: Way, denied: ReadonlySet<string>): Promise<boolean> => {
    signal?.throwIfAborted();
    return starts(engine, image, way, profileWithout(denied));
  };
  const startsAlways = async (among: readonly Way[], denied: ReadonlySet<string>): Promise<boolean> => {
    for (let round = 0; round < rounds; round++) {
      for (const way of among) if (!(await started(way, denied))) return false;
    }
    return true;
  };
  try {
    await importPrograms(engine, image, [
      { path: program, content: tinyProgram([]) },
      { path: waiting, content: tinyProgram([{ number: pause }]) },
    ]);
    tell(`looking at ${rounds} starts in each of ${ways.length + 1} ways`);
    const numbers = await callsUnderNewFilters(async () => {
      if (await startsAlways([...ways, init], new Set())) return;
      throw new ProfGenError('trace/runtime-base', 'containers do not start though every call is allowed', {
        hint: 'docker run --security-opt seccomp=unconfined tells more',
      });
    });
    const seen = [...numbers].flatMap((number) => x86_64Syscalls.nameOf(number) ?? []).sort();
    const base = new Set([...always, ...(isGo ? calledByGo : [])]);
    /** What nothing called is denied from the start: a call with a fallback that was not needed stays needed. */
    const denied = new Set(
      x86_64Syscalls.names.filter((name) => !base.has(name) && !own.includes(name) && !seen.includes(name)),
    );
    /** Leaves out one call after the other for good where everything still starts; what is left is needed. */
    const needed = async (names: readonly string[], among: readonly Way[]): Promise<string[]> => {
      const left: string[] = [];
      for (const name of names) {
        if (await startsAlways(among, new Set([...denied, name]))) denied.add(name);
        else left.push(name);
      }
      return left;
    };
    const candidates = seen.filter((name) => !base.has(name) && !own.includes(name));
    tell(`${seen.length} calls are made, ${candidates.length} of them are left out in turn`);
    for (const name of await needed(candidates, ways)) base.add(name);
    if (!(await startsAlways(ways, denied))) {
      throw new ProfGenError(
        'trace/runtime-base',
        `the ${base.size} calls that seem to be needed do not suffice`,
        { hint: 'measure again with more --rounds, while nothing else uses the engine' },
      );
    }
    // Of what an init process calls itself nothing is known here: for it only what the runtime did without is denied.
    const dispensable = candidates.filter((name) => denied.has(name));
    denied.clear();
    for (const name of await needed(dispensable, [init])) base.add(name);
    return {
      runtime: facts.runtime,
      version: facts.runtimeVersion,
      source:
        `measured with ${facts.engine} ${facts.engineVersion} on Linux ${facts.kernel} by leaving out one call ` +
        `after the other, ${rounds} starts in each of ${ways.length + 1} ways` +
        (isGo ? '; and the calls of the Go runtime, which a measurement sees only now and then' : ''),
      syscalls: [...base].sort(),
    };
  } finally {
    await engine.removeLeftovers(true);
  }
}

function profileWithout(denied: ReadonlySet<string>): string {
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [{ names: x86_64Syscalls.names.filter((name) => !denied.has(name)), action: 'SCMP_ACT_ALLOW' }],
  });
}

/** Whether a program runs to its end when it is started like this under a profile. */
async function starts(engine: Engine, image: string, way: Way, seccomp: string): Promise<boolean> {
  const handle = await engine.call('create a container', () =>
    engine.docker.createContainer({
      Image: image,
      Cmd: [way.exec === undefined ? program : waiting],
      Labels: engine.labels,
      ...way.options,
      HostConfig: {
        NetworkMode: 'none',
        LogConfig: { Type: 'none', Config: {} },
        Memory: 64 * 1024 ** 2,
        ...way.host,
        SecurityOpt: [`seccomp=${seccomp}`, ...(way.securityOptions ?? [])],
      },
    }),
  );
  try {
    await engine.call('start a container', () => handle.start(), startLimit);
    if (way.exec !== undefined) return await execs(engine, handle, way.exec);
    const { StatusCode } = (await engine.call('wait for a container', () => handle.wait(), startLimit)) as {
      StatusCode: number;
    };
    return StatusCode === 0;
  } catch (thrown) {
    // The engine could not start it: that is what is asked here.
    if (thrown instanceof ProfGenError && /^trace\/engine/.test(thrown.code)) return false;
    throw thrown;
  } finally {
    await removeContainer(engine, handle);
  }
}

async function execs(
  engine: Engine,
  handle: Docker.Container,
  options: NonNullable<Way['exec']>,
): Promise<boolean> {
  const exec = await engine.call('make an exec', () =>
    handle.exec({ Cmd: [program], AttachStdout: true, AttachStderr: true, ...options }),
  );
  const stream = await engine.call(
    'start an exec',
    () => exec.start({ Tty: options.Tty === true }),
    startLimit,
  );
  await engine.call(
    'wait for an exec',
    () =>
      new Promise<void>((resolve) =>
        stream
          .on('close', resolve)
          .on('error', () => resolve())
          .resume(),
      ),
    startLimit,
  );
  const { ExitCode } = await engine.call('look at an exec', () => exec.inspect());
  return ExitCode === 0;
}
