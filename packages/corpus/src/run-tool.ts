import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ToolOptions {
  /** Takes what the program prints; appended to. */
  readonly log: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Each line that it writes to file descriptor 3. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Ends when this process ends, however that may be (prctl(2), PR_SET_PDEATHSIG). */
const bound = ['setpriv', '--pdeathsig=KILL'];

/** Own mounts and processes: the first one's end is the end of all, and then the mounts are gone too. */
const inNamespaces = 'unshare --mount --propagation=private --pid --ipc --uts --fork --kill-child=KILL'.split(
  ' ',
);

/** Runs a program to its end. @returns its exit status, null when a signal ended it */
export async function runTool(argv: readonly string[], options: ToolOptions): Promise<number | null> {
  options.signal?.throwIfAborted();
  const log: FileHandle = await open(options.log, 'a');
  try {
    const child = start(argv, options, log.fd);
    if (options.onLine !== undefined) {
      createInterface({ input: child.stdio[3] as Readable }).on('line', options.onLine);
    }
    return await ended(child, options.signal);
  } finally {
    await log.close();
  }
}

/** The same in namespaces of its own. */
export function runApart(argv: readonly string[], options: ToolOptions): Promise<number | null> {
  return runTool([...inNamespaces, ...argv], options);
}

/** Runs a program whose output is wanted, piece by piece. */
export async function readTool(
  argv: readonly string[],
  onBytes: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(bound[0] ?? '', [...bound.slice(1), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaint = (complaint + bytes.toString()).slice(-2_000);
  });
  const end = ended(child, signal);
  // Both are awaited: a reader that fails ends the program.
  try {
    for await (const bytes of child.stdout) await onBytes(bytes as Uint8Array);
  } catch (thrown) {
    child.kill('SIGKILL');
    await end.catch(() => {});
    throw thrown;
  }
  const status = await end;
  if (status !== 0) throw new Error(`${argv[0]} ended with ${status}: ${complaint.trim()}`);
}

function start(argv: readonly string[], { cwd, env, onLine }: ToolOptions, log: number): ChildProcess {
  return spawn(bound[0] ?? '', [...bound.slice(1), ...argv], {
    stdio: ['ignore', log, log, ...(onLine === undefined ? [] : ['pipe' as const])],
    // Ctrl-C is for this process, which ends its children in good order.
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
}

function ended(child: ChildProcess, signal: AbortSignal | undefined): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const stop = () => child.kill('SIGKILL');
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason as Error);
      else act();
    };
    child.on('error', (error) => settle(() => reject(error)));
    child.on('close', (status) => settle(() => resolve(status)));
  });
}
