import type { Duplex, Readable } from 'node:stream';
import { ProfGenError } from '@prof-gen/core';
import type Docker from 'dockerode';
import { callLimit, type Engine, saidBy } from '../engine/engine.js';
import { removeContainer } from '../engine/remove-container.js';
import { type TarFile, tarOf } from '../engine/tar.js';
import { behindGate, commandOf, gateFile, type Gate } from '../gate/gate.js';
import { mountsOf, type Mount } from '../record/mounts.js';
import { Output } from './output.js';

/** What a container may use. */
export interface ContainerLimits {
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface ContainerSpec {
  readonly image: string;
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly user?: string | undefined;
  /** Docker seccomp JSON text; Docker's default when absent. */
  readonly seccomp?: string | undefined;
  /** Name of a network, or `container:ID`. */
  readonly network: string;
  /** Volume name by path. */
  readonly volumes?: ReadonlyMap<string, string>;
  /** Container whose volumes are mounted here as well, at the same paths. */
  readonly volumesOf?: string;
  /** Keeps standard input open until `closeInput`. */
  readonly input?: boolean;
  readonly files?: readonly TarFile[];
  /** Before its program and before those of its execs. */
  readonly gate?: Gate | undefined;
  readonly limits: ContainerLimits;
}

export interface CommandResult {
  /** Undefined when it ran out of time. */
  readonly exit: number | undefined;
  readonly output: string;
}

/** A container of ours from its creation to its removal. */
export class Container {
  readonly #engine: Engine;
  readonly #handle: Docker.Container;
  readonly #signal: AbortSignal;
  #output: Output | undefined;
  #stream: Duplex | undefined;
  #exit: Promise<number> | undefined;
  #exited: number | undefined;
  #mounts: Mount[] = [];
  readonly #gate: { readonly gate: Gate; readonly env: readonly string[] } | undefined;
  pid = 0;
  address = '';

  private constructor(
    engine: Engine,
    handle: Docker.Container,
    signal: AbortSignal,
    gate?: { readonly gate: Gate; readonly env: readonly string[] },
  ) {
    this.#engine = engine;
    this.#handle = handle;
    this.#signal = signal;
    this.#gate = gate;
  }

  /**
   * @param signal ends waiting; the caller removes the container all the same
   * @throws ProfGenError `trace/no-image`, and those of `Engine.call`
   */
  static async create(engine: Engine, spec: ContainerSpec, signal: AbortSignal): Promise<Container> {
    signal.throwIfAborted();
    const { gate } = spec;
    const command = gate && (await commandOf(engine, spec));
    const gated = command && behindGate(command.argv, command.env);
    const options: Docker.ContainerCreateOptions = {
      Image: spec.image,
      Labels: engine.labels,
      AttachStdout: true,
      AttachStderr: true,
      AttachStdin: spec.input === true,
      OpenStdin: spec.input === true,
      StdinOnce: spec.input === true,
      ...(spec.entrypoint === undefined ? {} : { Entrypoint: [...spec.entrypoint] }),
      ...(spec.cmd === undefined ? {} : { Cmd: [...spec.cmd] }),
      ...(gated === undefined ? {} : { Entrypoint: gated.slice(0, 1), Cmd: gated.slice(1) }),
      ...(spec.env === undefined ? {} : { Env: [...spec.env] }),
      ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
      ...(spec.user === undefined ? {} : { User: spec.user }),
      // The engine would run it at times of its own choosing: it is run as a phase instead.
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: spec.network,
        ...(spec.volumesOf === undefined ? {} : { VolumesFrom: [spec.volumesOf] }),
        Memory: spec.limits.memoryBytes,
        // Without it, as much again could be swapped out.
        MemorySwap: spec.limits.memoryBytes,
        PidsLimit: spec.limits.processes,
        // Nothing is written to the host's disk: the output is read by attaching.
        LogConfig: { Type: 'none', Config: {} },
        ...(spec.seccomp === undefined ? {} : { SecurityOpt: [`seccomp=${spec.seccomp}`] }),
        Mounts: [...(spec.volumes ?? [])].map(([path, volume]) => ({
          Type: 'volume',
          Source: volume,
          Target: path,
        })),
      },
    };
    const handle = await engine
      .call('create a container', () => engine.docker.createContainer(options))
      .catch((thrown: unknown) => {
        if (!(thrown instanceof ProfGenError) || thrown.details?.['status'] !== 404) throw thrown;
        throw new ProfGenError('trace/no-image', `the engine has no image ${spec.image}`, {
          hint: 'pull it, or load it with `docker load`',
          causes: [thrown],
        });
      });
    const container = new Container(engine, handle, signal, gate && { gate, env: command?.env ?? [] });
    const files = [...(spec.files ?? []), ...(gate === undefined ? [] : [gateFile()])];
    try {
      if (files.length > 0) {
        const archive = tarOf(files);
        await engine.call('put files into a container', () => handle.putArchive(archive, { path: '/' }));
      }
    } catch (thrown) {
      await container.remove();
      throw thrown;
    }
    return container;
  }

  get id(): string {
    return this.#handle.id;
  }

  /**
   * @throws ProfGenError `trace/start` with the engine's words
   */
  async start(input = false): Promise<void> {
    this.#signal.throwIfAborted();
    const stream = (await this.#engine.call('attach to a container', () =>
      this.#handle.attach({ stream: true, stdout: true, stderr: true, stdin: input, hijack: input }),
    )) as unknown as Duplex;
    this.#stream = stream;
    this.#output = new Output(stream, this.#gate !== undefined);
    try {
      await this.#engine.call('start a container', () => this.#handle.start());
    } catch (thrown) {
      throw new ProfGenError('trace/start', `the container did not start: ${saidBy(thrown)}`, {
        hint: 'docker run with the same options says the same',
        causes: [thrown],
      });
    }
    this.#exit = this.#handle.wait().then(
      (result: { StatusCode: number }) => {
        this.#exited = result.StatusCode;
        return result.StatusCode;
      },
      () => -1,
    );
    const { State, NetworkSettings } = await this.#engine.call('look at a container', () =>
      this.#handle.inspect(),
    );
    this.pid = State.Pid;
    if (this.pid > 0) this.#mounts = mountsOf(this.pid);
    this.address = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '';
    if (!(await this.#passGate(this.#output))) {
      throw new ProfGenError('trace/start', 'the container did not start: its gate did not come up', {
        hint: 'the image may forbid to execute files in its root directory, or to read /proc/self/status',
      });
    }
  }

  /** Whether what is behind the gate runs, watched; false when no gate has said anything, and the runtime maybe has. */
  async #passGate(output: Output): Promise<boolean> {
    if (this.#gate === undefined) return true;
    const pid = await within(output.greeted, callLimit, this.#signal);
    if (pid === undefined) return false;
    await this.#gate.gate.open(this, pid);
    return true;
  }

  get output(): Output {
    if (this.#output === undefined) throw new Error('the container has not been started');
    return this.#output;
  }

  /** Exit status once it has ended. */
  get exited(): number | undefined {
    return this.#exited;
  }

  /** File systems as the container's first process saw them at the start. */
  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  /** Its exit status, or undefined when it still runs after `limit` milliseconds. */
  async waitForExit(limit: number): Promise<number | undefined> {
    if (this.#exit === undefined) return undefined;
    return within(this.#exit, limit, this.#signal);
  }

  async kill(signal: string): Promise<void> {
    try {
      await this.#engine.call(`send ${signal}`, () => this.#handle.kill({ signal }));
    } catch (thrown) {
      // It has ended already: not an error of ours.
      if (!(thrown instanceof ProfGenError) || thrown.details?.['status'] !== 409) throw thrown;
    }
  }

  /** Whether the container's file system has this path. Nothing is run for it. */
  async has(path: string): Promise<boolean> {
    try {
      const answer: unknown = await this.#engine.call('look for a file', () =>
        this.#handle.infoArchive({ path }),
      );
      // The answer is in the headers; an unread body would keep its connection, and so this process.
      (answer as Readable).resume();
      return true;
    } catch (thrown) {
      if (thrown instanceof ProfGenError && thrown.details?.['status'] === 404) return false;
      throw thrown;
    }
  }

  closeInput(): void {
    this.#stream?.end();
  }

  writeInput(text: string): void {
    this.#stream?.write(text);
  }

  /**
   * Runs a command in the container by exec: under its profile. A missing program gives the status 126 or 127, and a
   * container that has ended meanwhile -1.
   */
  async exec(argv: readonly string[], limit: number): Promise<CommandResult> {
    this.#signal.throwIfAborted();
    const exec = await this.#engine
      .call('make an exec', () =>
        this.#handle.exec({
          Cmd: this.#gate === undefined ? [...argv] : behindGate(argv, this.#gate.env),
          AttachStdout: true,
          AttachStderr: true,
        }),
      )
      .catch((thrown: unknown) => {
        if (thrown instanceof ProfGenError && thrown.details?.['status'] === 409) return undefined;
        throw thrown;
      });
    if (exec === undefined) return { exit: -1, output: 'the container has ended' };
    const stream = (await this.#engine.call(
      'start an exec',
      () => exec.start({ hijack: false, stdin: false }),
      Math.max(limit, callLimit),
    )) as unknown as Readable;
    const output = new Output(stream, this.#gate !== undefined);
    try {
      await this.#passGate(output);
    } catch (thrown) {
      if (!(thrown instanceof ProfGenError) || thrown.code !== 'trace/start') throw thrown;
      // As the engine answers for a program that is not there.
      return { exit: 127, output: thrown.message };
    }
    const ended = await within(
      output.ended.then(() => true),
      limit,
      this.#signal,
    ).finally(() => stream.destroy());
    if (ended === undefined) return { exit: undefined, output: output.text() };
    const { ExitCode } = await this.#engine.call('look at an exec', () => exec.inspect());
    return { exit: ExitCode ?? -1, output: output.text() };
  }

  /** Runs to the end: its output and status. */
  async finish(limit: number): Promise<CommandResult> {
    const exit = await this.waitForExit(limit);
    if (exit !== undefined) await within(this.output.ended, 2_000, this.#signal);
    return { exit, output: this.output.text() };
  }

  /** Never fails because it is gone. */
  async remove(): Promise<void> {
    this.#stream?.destroy();
    await removeContainer(this.#engine, this.#handle);
  }
}

/**
 * The value, or undefined after `limit` milliseconds.
 * @throws the signal's reason
 */
async function within<T>(value: Promise<T>, limit: number, signal: AbortSignal): Promise<T | undefined> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    return await Promise.race([
      value,
      new Promise<undefined>((resolve, reject) => {
        timer = setTimeout(() => resolve(undefined), limit);
        stop = () => reject(signal.reason as Error);
        signal.addEventListener('abort', stop, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
