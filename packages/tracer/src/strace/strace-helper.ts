import { Writable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import type { Container } from '../container/container.js';
import type { Engine } from '../engine/engine.js';
import { removeContainer } from '../engine/remove-container.js';

/** Arguments that everything else is printed raw for: numbers alone, which is quick and short. */
const decoded = ['execve', 'execveat', 'chdir', 'fchdir', 'mmap', 'mmap2', 'prctl'];
/** Characters of an argument, and words of a vector, that strace prints: about what bpftrace keeps. */
const stringLimit = 4_096;

/** With process numbers, times since the epoch, call numbers and paths of descriptors (strace(1)). */
const straceOptions = [
  '-f',
  '-n',
  '-y',
  '-ttt',
  ...['-s', String(stringLimit)],
  ...['-e', `raw=!${decoded.join(',')}`],
  ...['-e', 'signal=none'],
  '--quiet=attach',
  ...['-o', '/dev/stdout'],
];

/** A longer line is not one of strace's: an argument vector has at most 4,096 words of 4,096 escaped characters. */
const lineLimit = 1 << 28;
const saidLimit = 4_000;
const memoryBytes = 512 * 1024 ** 2;

/** One strace at work. */
export interface StraceSession {
  /** Its exit status once it has ended; undefined where the engine no longer knows. */
  readonly ended: Promise<number | undefined>;
  /** The end of what it said of itself. */
  readonly said: () => string;
}

/**
 * A container beside the observed one, in its pid namespace and in nothing else of it: it may trace and read, has no
 * network, and nothing in it can be written. It ends with the observed container, whose first process takes the whole
 * namespace with it.
 */
export class StraceHelper {
  readonly #engine: Engine;
  readonly #handle: Docker.Container;
  readonly #onLine: (line: string) => void;
  readonly main: StraceSession;

  private constructor(
    engine: Engine,
    handle: Docker.Container,
    main: StraceSession,
    onLine: (line: string) => void,
  ) {
    this.#engine = engine;
    this.#handle = handle;
    this.main = main;
    this.#onLine = onLine;
  }

  /**
   * Starts one that traces a process.
   * @param pid in the observed container's namespace
   */
  static async start(
    engine: Engine,
    image: string,
    observed: Container,
    pid: number,
    onLine: (line: string) => void,
  ): Promise<StraceHelper> {
    const handle = await engine.call('create a helper', () =>
      engine.docker.createContainer({
        Image: image,
        Labels: engine.labels,
        Entrypoint: ['strace'],
        Cmd: argumentsFor(pid),
        User: '0:0',
        AttachStdout: true,
        AttachStderr: true,
        Healthcheck: { Test: ['NONE'] },
        HostConfig: {
          PidMode: `container:${observed.id}`,
          NetworkMode: 'none',
          CapDrop: ['ALL'],
          // Descriptors of a process of another user stand in a directory (/proc/PID/fd) that is that user's alone.
          CapAdd: ['SYS_PTRACE', 'DAC_READ_SEARCH'],
          SecurityOpt: ['no-new-privileges'],
          ReadonlyRootfs: true,
          Memory: memoryBytes,
          LogConfig: { Type: 'none', Config: {} },
        },
      }),
    );
    try {
      const stream = (await engine.call('attach to a helper', () =>
        handle.attach({ stream: true, stdout: true, stderr: true }),
      )) as unknown as Duplex;
      const { ended, said } = readSession(engine, stream, onLine);
      await engine.call('start a helper', () => handle.start());
      const exit = async (): Promise<number | undefined> => {
        await ended;
        return handle.inspect().then(
          ({ State }) => (State.Running ? undefined : State.ExitCode),
          () => undefined,
        );
      };
      return new StraceHelper(engine, handle, { ended: exit(), said }, onLine);
    } catch (thrown) {
      await removeContainer(engine, handle);
      throw thrown;
    }
  }

  /** Traces another process of the same namespace: one that the engine has started, and the first has not. */
  async trace(pid: number): Promise<StraceSession> {
    const exec = await this.#engine.call('make an exec', () =>
      this.#handle.exec({ Cmd: ['strace', ...argumentsFor(pid)], AttachStdout: true, AttachStderr: true }),
    );
    const stream = await this.#engine.call('start an exec', () =>
      exec.start({ hijack: false, stdin: false }),
    );
    const { ended, said } = readSession(this.#engine, stream, this.#onLine);
    const exit = async (): Promise<number | undefined> => {
      await ended;
      return exec.inspect().then(
        ({ ExitCode }) => ExitCode ?? undefined,
        () => undefined,
      );
    };
    return { ended: exit(), said };
  }

  async remove(): Promise<void> {
    await removeContainer(this.#engine, this.#handle);
  }
}

const argumentsFor = (pid: number): string[] => [...straceOptions, '-p', String(pid)];

/** Standard output line by line, the last one also where it was cut; the end of standard error. */
function readSession(
  engine: Engine,
  stream: Duplex,
  onLine: (line: string) => void,
): { readonly ended: Promise<void>; readonly said: () => string } {
  let rest = '';
  let said = '';
  const sink = (take: (text: string) => void) =>
    new Writable({
      write(bytes: Buffer, _, done) {
        take(bytes.toString('latin1'));
        done();
      },
    });
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > lineLimit) stream.destroy();
  };
  engine.docker.modem.demuxStream(
    stream,
    sink(take),
    sink((text) => {
      said = (said + text).slice(-saidLimit);
    }),
  );
  const ended = new Promise<void>((resolve) => {
    stream
      .on('end', resolve)
      .on('close', resolve)
      .on('error', () => resolve());
  }).then(() => {
    const last = rest;
    rest = '';
    if (last !== '') onLine(last);
  });
  return { ended, said: () => said };
}
