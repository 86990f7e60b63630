import { accessSync } from 'node:fs';
import { Readable } from 'node:stream';
import {
  type Denial,
  type EngineFacts,
  type EventSink,
  type FileTree,
  ignoreEvents,
  imageConfigSchema,
  type ImageConfig,
  type Observation,
  ProfGenError,
  printable,
  type Proof,
  type RunOverrides,
  type Workload,
} from '@prof-gen/core';
import type { ContainerLimits } from './container/container.js';
import { defaultSocket, Engine } from './engine/engine.js';
import { loadedTag } from './engine/owner.js';
import { defaultTimes, exercise, type ExerciseTimes } from './exercise/exercise.js';
import { BpftracePool } from './program/bpftrace-pool.js';
import { readKernelFacts } from './program/kernel-facts.js';
import type { ObservedRecord } from './record/observed-record.js';
import { Run } from './run.js';
import { slower } from './program/slower-way.js';
import { selfTest } from './self-test/self-test.js';
import { bpftraceWay } from './way/bpftrace-way.js';
import { openStraceWay } from './way/open-strace-way.js';
import type { WatchedImage, Way } from './way/way.js';
import { isStartFailure, runWorkload } from './workload/run-workload.js';

export interface TracerOptions {
  /** How containers are watched; bpftrace unless said. */
  readonly method?: Way['method'];
  /** For `strace`: an image that has it; one made from this machine's own unless said. */
  readonly straceImage?: string;
  /** The engine's socket; DOCKER_HOST or Docker's usual one when absent. */
  readonly socketPath?: string;
  readonly onEvent?: EventSink;
  /** Ends what is under way; everything is removed before the calls reject. */
  readonly signal?: AbortSignal;
  /**
   * Pages of 4 KiB per processor, a power of two, that lines of the tracing program wait in (1,024). When some are lost, the
   * run is repeated with four times as many, then with sixteen times.
   */
  readonly bufferPages?: number;
}

/** Limits of each container, and the longest time for a whole run. */
export interface TraceLimits extends ContainerLimits {
  readonly seconds: number;
}

const defaultLimits: TraceLimits = { memoryBytes: 1024 ** 3, processes: 1024, seconds: 900 };

interface TraceInput {
  /** For people and events. */
  readonly name: string;
  /** A reference that the engine has. */
  readonly image: string;
  readonly overrides: RunOverrides;
  readonly limits?: Partial<TraceLimits>;
}

export interface ObserveInput extends TraceInput {
  /** `--observe`: learnt from as well, in containers of its own after the generic exercise. */
  readonly workload?: Workload;
  readonly exercise?: Partial<ExerciseTimes>;
  /** The image's files: strace tells names of programs that may be links or scripts. */
  readonly tree?: FileTree;
  /** Numbers of calls that Docker's default profile denies whatever their arguments: strace cannot tell. */
  readonly deniedByDefault?: ReadonlySet<number>;
}

export interface ProveInput extends TraceInput {
  /** Docker seccomp JSON text. */
  readonly profile: string;
  /** Without one the generic exercise is run, which fails by denials alone. */
  readonly workload?: Workload | undefined;
  readonly exercise?: Partial<ExerciseTimes>;
  /** Which arguments the profile looks at, by name of the call: a denial tells these. */
  readonly judgedBy?: ReadonlyMap<string, readonly number[]>;
  /** Whether a denial is meant (`Denial.expected`); none unless said. `values`: all arguments, where they are known. */
  readonly isExpected?: (
    denial: Pick<Denial, 'name' | 'errno'>,
    values: readonly string[] | undefined,
  ) => boolean;
}

/** An image that was brought to the engine. */
export interface LoadedImage {
  readonly reference: string;
  /** Takes the name away, and the image with it unless it has other names. */
  remove(): Promise<void>;
}

/** Runs containers and sees what they do. */
export interface Tracer {
  readonly engine: EngineFacts;
  readonly method: Way['method'];
  /**
   * Loads a docker-archive, as `docker load` does, under a name of its own. Its maker takes it away by `remove`;
   * `close` and the next start of the tracer take away what is left.
   * @param archiveOf the archive that becomes a given tag
   * @throws ProfGenError `trace/load`, the archive's own error, and the signal's reason
   */
  loadImage(archiveOf: (tag: string) => AsyncIterable<Uint8Array>): Promise<LoadedImage>;
  /**
   * Runs the image under Docker's default profile with the generic exercise.
   * @throws ProfGenError `trace/no-image`, `trace/start`, `trace/time-limit`, `trace/lost-events`, `trace/engine…`
   */
  observe(input: ObserveInput): Promise<Observation>;
  /**
   * Runs the application-specific test under a profile. It passes when every step passed and no call was denied but
   * those that are meant to be (see `Denial.expected`).
   * @throws ProfGenError as `observe`, but a container that does not start under the profile is a failed proof;
   * `usage/proof-needs-bpftrace`
   */
  prove(input: ProveInput): Promise<Proof>;
  /** Stops bpftrace and removes everything that is left of this process. */
  close(): Promise<void>;
}

const loadLimit = 600_000;

/** A container that cannot start under the profile has failed its proof: that is no error of the tracer. */
async function exerciseUnderProfile(run: Run, config: ImageConfig, times: ExerciseTimes): Promise<void> {
  try {
    await exercise(run, config, times);
  } catch (thrown) {
    if (!isStartFailure(thrown)) throw thrown;
    run.step('starts', thrown.message);
  }
}

/** The engine's words at the end of what it says while loading. */
function saidIn(answer: string): string {
  return printable(/"error":"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1] ?? answer, 300);
}

/**
 * Opens the engine, removes what crashed runs left, starts the way of watching and has it prove on a program of known
 * behaviour that it counts and, for bpftrace, catches denials.
 * @throws ProfGenError `environment/root`, `environment/btf`, `environment/tracefs`, `environment/bpftrace`,
 * `environment/bpf`, `environment/engine`, `environment/cgroup`, `environment/self-test`, `environment/strace`
 */
export async function openTracer(options: TracerOptions): Promise<Tracer> {
  if (options.method === 'strace') {
    const engine = await Engine.open(options.socketPath ?? defaultSocket());
    const { engine: facts } = await engine.facts();
    await engine.removeLeftovers();
    return new EngineTracer(engine, facts, await openStraceWay(engine, options), options);
  }
  checkMachine();
  const socketPath = options.socketPath ?? defaultSocket();
  const engine = await Engine.open(socketPath);
  const facts = await engine.facts();
  await engine.removeLeftovers();
  const kernel = await readKernelFacts({
    cgroupVersion: facts.engine.cgroupVersion,
    cgroupDriver: facts.cgroupDriver,
  });
  const pool = await BpftracePool.open(kernel, options.bufferPages);
  const tracer = new EngineTracer(engine, facts.engine, bpftraceWay(pool), options);
  try {
    const { bpftrace, release } = await pool.lease();
    await selfTest(engine, bpftrace, options.signal ?? new AbortController().signal);
    await release();
  } catch (thrown) {
    await tracer.close();
    throw thrown;
  }
  return tracer;
}

/** What can be known before anything is started. */
function checkMachine(): void {
  if (process.getuid?.() !== 0) {
    throw new ProfGenError('environment/root', 'tracing needs root', {
      hint: `run it with sudo; ${slower}`,
    });
  }
  const needs = (
    path: string,
    code: 'environment/btf' | 'environment/tracefs',
    what: string,
    hint: string,
  ) => {
    try {
      accessSync(path);
    } catch (cause) {
      throw new ProfGenError(code, what, { hint, causes: [cause] });
    }
  };
  needs(
    '/sys/kernel/btf/vmlinux',
    'environment/btf',
    'this kernel does not describe its types',
    `tracing needs a kernel built with CONFIG_DEBUG_INFO_BTF; ${slower}`,
  );
  needs(
    '/sys/kernel/tracing/events/raw_syscalls',
    'environment/tracefs',
    'the kernel’s tracepoints are not there',
    `mount -t tracefs tracefs /sys/kernel/tracing; ${slower}`,
  );
  const directories = (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(':');
  const installed = directories.some((directory) => {
    try {
      accessSync(`${directory}/bpftrace`);
      return true;
    } catch {
      return false;
    }
  });
  if (!installed) {
    throw new ProfGenError('environment/bpftrace', 'bpftrace is not installed', {
      hint: `install the package bpftrace; ${slower}`,
    });
  }
}

class EngineTracer implements Tracer {
  readonly engine: EngineFacts;
  readonly #engine: Engine;
  readonly #way: Way;
  readonly #onEvent: EventSink;
  readonly #signal: AbortSignal | undefined;
  #loaded = 0;

  constructor(engine: Engine, facts: EngineFacts, way: Way, options: TracerOptions) {
    this.engine = facts;
    this.#engine = engine;
    this.#way = way;
    this.#onEvent = options.onEvent ?? ignoreEvents;
    this.#signal = options.signal;
  }

  get method(): Way['method'] {
    return this.#way.method;
  }

  async loadImage(archiveOf: (tag: string) => AsyncIterable<Uint8Array>): Promise<LoadedImage> {
    const tag = loadedTag(this.#engine.owner, this.#loaded++);
    const docker = this.#engine.docker;
    // A stream that fails ends no request by itself: the request is ended, and the stream's own error is told.
    const broken = new AbortController();
    const signals = this.#signal === undefined ? [broken.signal] : [broken.signal, this.#signal];
    const abortSignal = AbortSignal.any(signals);
    abortSignal.throwIfAborted();
    const archive = Readable.from(archiveOf(tag));
    archive.on('error', (error) => broken.abort(error));
    try {
      await this.#engine.call(
        'load an image',
        async () => {
          const answer = await docker.loadImage(archive, { quiet: true, abortSignal });
          let said = '';
          for await (const bytes of answer) said = (said + String(bytes)).slice(-4_000);
          if (/"error"/.test(said)) {
            throw new ProfGenError('trace/load', `the engine did not load the image: ${saidIn(said)}`);
          }
        },
        loadLimit,
      );
    } catch (thrown) {
      if (abortSignal.aborted) throw abortSignal.reason;
      throw thrown;
    } finally {
      archive.destroy();
    }
    return { reference: tag, remove: () => this.#engine.removeTag(tag) };
  }

  async observe(input: ObserveInput): Promise<Observation> {
    const config = await this.#config(input.image);
    const times = { ...defaultTimes, ...input.exercise };
    const watched = {
      workingDir: input.overrides.workingDir ?? config.workingDir,
      tree: input.tree,
      filtered: input.deniedByDefault ?? new Set<number>(),
    };
    const { run, record } = await this.#traced(input, watched, undefined, async (traced) => {
      await exercise(traced, config, times);
      if (input.workload !== undefined) await runWorkload(traced, input.workload, config);
    });
    return {
      method: this.method,
      engine: this.engine,
      programs: record.programs,
      ioUring: record.ioUring,
      // Docker's default made them, and the container's behaviour under it is what is to be kept.
      denials: record.denials.map(({ values: _, ...denial }) => ({ ...denial, expected: true })),
      phases: run.phases,
      failedExecs: record.failedExecs,
      foreignCalls: record.foreignCalls,
    };
  }

  async prove(input: ProveInput): Promise<Proof> {
    if (this.method !== 'bpftrace') {
      throw new ProfGenError(
        'usage/proof-needs-bpftrace',
        'strace stops a call before the seccomp filter does, and cannot tell for certain that one was denied',
        {
          hint: 'prove the profile where bpftrace runs: prof-gen verify IMAGE --profile FILE --workload FILE',
        },
      );
    }
    const config = await this.#config(input.image);
    const { workload, judgedBy, isExpected } = input;
    const watched = { workingDir: config.workingDir, tree: undefined, filtered: new Set<number>() };
    const { run, record } = await this.#traced(input, watched, input.profile, async (traced) => {
      if (workload !== undefined) return runWorkload(traced, workload, config);
      return exerciseUnderProfile(traced, config, { ...defaultTimes, ...input.exercise });
    });
    // The engine may call a container started whose runtime could not execute anything under the profile.
    if (run.passed && record.programs.length === 0) {
      run.step(
        'executes a program',
        'nothing was executed in the container: the runtime itself was denied a call',
      );
    }
    const denials: Denial[] = record.denials.map(({ values, ...denial }) => {
      const indexes = values === undefined ? undefined : judgedBy?.get(denial.name);
      return {
        ...denial,
        ...(indexes && { arguments: indexes.map((index) => ({ index, value: values?.[index] ?? '0x0' })) }),
        expected: isExpected?.(denial, values) ?? false,
      };
    });
    return {
      status: run.passed && denials.every(({ expected }) => expected) ? 'passed' : 'failed',
      workload: workload?.name ?? 'generic exercise',
      engine: this.engine,
      phases: run.phases,
      denials,
      programs: record.programs,
      failedExecs: record.failedExecs,
      foreignCalls: record.foreignCalls,
    };
  }

  async close(): Promise<void> {
    await this.#way.close();
    await this.#engine.removeLeftovers(true);
  }

  /** One run with its record; again with larger buffers when lines were lost. */
  async #traced(
    input: TraceInput,
    watched: WatchedImage,
    seccomp: string | undefined,
    work: (run: Run) => Promise<void>,
  ): Promise<{ readonly run: Run; readonly record: ObservedRecord }> {
    const limits = { ...defaultLimits, ...input.limits };
    for (let watch = await this.#way.watch(watched); ; ) {
      const late = new ProfGenError(
        'trace/time-limit',
        `${input.name} took longer than ${limits.seconds} s`,
        {
          hint: 'raise the time limit, or shorten the workload',
        },
      );
      const clock = new AbortController();
      const timer = setTimeout(() => clock.abort(late), limits.seconds * 1000);
      const signals = this.#signal === undefined ? [clock.signal] : [clock.signal, this.#signal];
      const run = new Run({
        engine: this.#engine,
        watch,
        image: input.image,
        overrides: input.overrides,
        limits,
        signal: AbortSignal.any(signals),
        ...(seccomp === undefined ? {} : { seccomp }),
      });
      try {
        await work(run);
        const { record, complete } = await run.record();
        if (complete) return { run, record };
      } catch (thrown) {
        // Timers of Node reject with an AbortError of their own: the reason is what the caller asked for.
        if (run.signal.aborted) throw run.signal.reason;
        throw thrown;
      } finally {
        clearTimeout(timer);
        await run.close();
      }
      const lost = new ProfGenError('trace/lost-events', `what ${input.name} did was not seen completely`, {
        hint: 'trace fewer containers at once, or on a less busy machine',
        retryable: true,
      });
      const again = watch.again();
      if (again === undefined) throw lost;
      const message = `${lost.message}: it is run once more${again.how}`;
      this.#onEvent({ type: 'note', image: input.name, message });
      watch = await again.watch();
    }
  }

  async #inspect(reference: string): Promise<{ readonly Id: string; readonly Config: unknown }> {
    try {
      return await this.#engine.call('look at an image', () =>
        this.#engine.docker.getImage(reference).inspect(),
      );
    } catch (thrown) {
      if (!(thrown instanceof ProfGenError) || thrown.details?.['status'] !== 404) throw thrown;
      throw new ProfGenError('trace/no-image', `the engine has no image ${reference}`, {
        hint: 'pull it, or load it with `docker load`',
        causes: [thrown],
      });
    }
  }

  async #config(reference: string): Promise<ImageConfig> {
    return imageConfigSchema.parse((await this.#inspect(reference)).Config);
  }
}
