import type { EventSink } from '@prof-gen/core';
import { openWorkbench, type Workbench } from '@prof-gen/runner';
import { cacheDirectory } from './cache-directory.js';
import type { Io } from './io.js';
import { progressReporter } from './reporters/progress.js';

/** Options that all working commands share. */
export interface SessionOptions {
  readonly static?: boolean;
  readonly cache?: string;
  readonly threads?: number;
  readonly quiet?: boolean;
  readonly progress: boolean;
}

/** Ctrl-C, a supervisor, and a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Opens the engines for `work`, draws its events, and closes everything afterwards, also on Ctrl-C:
 * the first one stops the work in order, and containers are removed; a second one ends the process.
 */
export async function withSession<T>(
  io: Io,
  options: SessionOptions,
  work: (workbench: Workbench, onEvent: EventSink) => Promise<T>,
): Promise<T> {
  const live = options.progress && io.stderr.isTTY === true;
  const style = options.quiet ? 'none' : live ? 'terminal' : 'lines';
  const progress = progressReporter(io, style);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const signal of signals) process.once(signal, interrupt);
  try {
    const workbench = await openWorkbench({
      cache: cacheDirectory(io, options.cache),
      staticOnly: options.static === true,
      onEvent: progress.onEvent,
      signal: interruption.signal,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(io.env['DOCKER_HOST']?.startsWith('unix://')
        ? { socketPath: io.env['DOCKER_HOST'].slice('unix://'.length) }
        : {}),
    });
    try {
      return await work(workbench, progress.onEvent);
    } finally {
      await workbench.close();
    }
  } catch (error) {
    // Whatever the interruption made fail, it is an interruption to the caller.
    interruption.signal.throwIfAborted();
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    progress.close();
  }
}
