import { type EventSink, errorData } from '@prof-gen/core';
import { openWorkbench, type Workbench } from '@prof-gen/runner';
import type { TracerMethod } from './commands/tracer-options.js';
import { cacheDirectory } from './cache-directory.js';
import type { Io } from './io.js';
import { jsonLine, progressReporter } from './reporters/progress.js';

/** Options that all working commands share. */
export interface SessionOptions {
  readonly static?: boolean;
  readonly tracer?: TracerMethod;
  readonly straceImage?: string;
  readonly cache?: string;
  readonly threads?: number;
  readonly quiet?: boolean;
  readonly progress: boolean;
  readonly logFormat?: 'text' | 'json';
}

const told = new WeakSet<Error>();
/** Whether a log for machines has this error already. */
export const isTold = (error: unknown): boolean => error instanceof Error && told.has(error);

/** Ctrl-C, a supervisor, and a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Draws the events of `work`, and stops it in good order on Ctrl-C: what it started is removed, and a second one ends
 * the process.
 */
export async function withEvents<T>(
  io: Io,
  options: Pick<SessionOptions, 'quiet' | 'progress' | 'logFormat'>,
  work: (onEvent: EventSink, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const live = options.progress && io.stderr.isTTY === true;
  const json = options.logFormat === 'json';
  const progress = progressReporter(io, json ? 'json' : options.quiet ? 'none' : live ? 'terminal' : 'lines');
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of signals) process.once(signal, interrupt);
  try {
    return await work(progress.onEvent, interruption.signal);
  } catch (error) {
    // Whatever the interruption made fail, it is an interruption to the caller.
    interruption.signal.throwIfAborted();
    if (json) {
      io.stderr.write(jsonLine({ type: 'error', error: errorData(error) }));
      if (error instanceof Error) told.add(error);
    }
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    progress.close();
  }
}

/** The engine's socket when the environment names one. */
export function engineSocket(io: Io): { readonly socketPath?: string } {
  const host = io.env['DOCKER_HOST'] ?? '';
  return host.startsWith('unix://') ? { socketPath: host.slice('unix://'.length) } : {};
}

/** Opens the engines for `work`, draws its events, and closes everything afterwards, also on Ctrl-C. */
export function withSession<T>(
  io: Io,
  options: SessionOptions,
  work: (workbench: Workbench, onEvent: EventSink) => Promise<T>,
): Promise<T> {
  return withEvents(io, options, async (onEvent, signal) => {
    const workbench = await openWorkbench({
      cache: cacheDirectory(io, options.cache),
      staticOnly: options.static === true,
      onEvent,
      signal,
      ...(options.tracer === undefined ? {} : { tracer: options.tracer }),
      ...(options.straceImage === undefined ? {} : { straceImage: options.straceImage }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...engineSocket(io),
    });
    try {
      return await work(workbench, onEvent);
    } finally {
      await workbench.close();
    }
  });
}
