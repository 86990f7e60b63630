import { join } from 'node:path';
import type { EventSink } from '@prof-gen/core';
import { openSummaryStore } from '@prof-gen/store';
import { openTracer, type Tracer } from '@prof-gen/tracer';
import { openSummarizer, type Summarizer } from './summarizer.js';

export interface WorkbenchOptions {
  /** Directory for layers, kept files and summaries; the only place that is written to. */
  readonly cache: string;
  /** Static analysis alone: no engine, no root. */
  readonly staticOnly: boolean;
  /** How containers are watched; bpftrace unless said. */
  readonly tracer?: Tracer['method'];
  /** For `strace`: an image that has it; one made from this machine's own unless said. */
  readonly straceImage?: string;
  readonly threads?: number;
  /** Socket of the engine; the usual one unless said. */
  readonly socketPath?: string;
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

/** The engines with a lifetime, opened once and shared by all images of a run. */
export interface Workbench {
  readonly cache: string;
  readonly socketPath: string | undefined;
  readonly summarizer: Summarizer;
  /** Absent for static analysis alone. */
  readonly tracer: Tracer | undefined;
  readonly signal: AbortSignal | undefined;
  close(): Promise<void>;
}

/** @throws ProfGenError `environment/…` when there is no engine, no privilege, or no tracer */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { cache, socketPath, signal, onEvent } = options;
  const engine = {
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(signal === undefined ? {} : { signal }),
  };
  const { tracer: method, straceImage } = options;
  const tracer = options.staticOnly
    ? undefined
    : await openTracer({
        ...engine,
        onEvent,
        ...(method === undefined ? {} : { method }),
        ...(straceImage === undefined ? {} : { straceImage }),
      });
  try {
    const summaries = openSummaryStore(join(cache, 'summaries.db'));
    const summarizer = openSummarizer({
      summaries,
      ...(signal === undefined ? {} : { signal }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
    return {
      cache,
      socketPath,
      summarizer,
      tracer,
      signal,
      async close() {
        await Promise.allSettled([summarizer.close(), tracer?.close()]);
        summaries.close();
      },
    };
  } catch (error) {
    await tracer?.close();
    throw error;
  }
}
