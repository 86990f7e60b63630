import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import {
  analyzerVersion,
  decodeDetail,
  decodeSummary,
  type FileDetail,
  type FileSummary,
  lineFactsVersion,
  type Summarize,
} from '@prof-gen/analyzer';
import { type ErrorData, errorData, type LineFacts, type Outcome, printable } from '@prof-gen/core';
import type { SummaryStore } from '@prof-gen/store';
import { Piscina } from 'piscina';
import { largestFirst } from './largest-first.js';

/** What the worker of the analyzer takes and gives; bytes cross by transfer. */
type WorkerTask = { readonly bytes: Uint8Array; readonly path: string };
type WorkerValue = { readonly summary: Uint8Array; readonly detail: Uint8Array };

export interface SummarizerOptions {
  readonly summaries: SummaryStore;
  /** Worker threads; as many as the machine has processors unless said. */
  readonly threads?: number;
  /** Seconds that one file may take before its worker is ended. */
  readonly secondsPerFile?: number;
  /** JavaScript heap of one worker, MiB. */
  readonly heapPerWorker?: number;
  /** Ends what is under way: `summarize` rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Module of the worker: the analyzer's unless said. */
  readonly worker?: string;
}

/** Summaries of ELF files from the cache, else made on worker threads. */
export interface Summarizer {
  readonly summarize: Summarize;
  /** A summary from the cache, without a look at the file. */
  readonly known: (sha256: string) => FileSummary | undefined;
  /** What explanations need of a file besides: kept with its summary, read only when asked for. */
  readonly detail: (file: Parameters<Summarize>[0]) => Promise<Outcome<FileDetail>>;
  /** What other methods look at in a file, for comparisons: kept apart, and made only when asked for. */
  readonly lineFacts: (file: Parameters<Summarize>[0]) => Promise<Outcome<LineFacts>>;
  /** Distinct files: asked for, and of these made anew. */
  readonly counts: { readonly files: number; readonly made: number };
  close(): Promise<void>;
}

const defaults = { secondsPerFile: 120, heapPerWorker: 2048 };

/**
 * Opens the pool. Equal files are analysed once, also when two images ask at the same time, and a file that
 * hangs or eats memory costs its own result only: `analysis/file-timeout`, `analysis/worker-died`.
 */
export function openSummarizer(options: SummarizerOptions): Summarizer {
  const { summaries } = options;
  const seconds = options.secondsPerFile ?? defaults.secondsPerFile;
  const threads = options.threads ?? availableParallelism();
  const { resolve } = createRequire(import.meta.url);
  let opened: Piscina<WorkerTask, Outcome<unknown>> | undefined;
  /** Begins before there is a file to analyse: a thread takes a while to start. */
  function workers(): Piscina<WorkerTask, Outcome<unknown>> {
    if (opened !== undefined) return opened;
    opened = new Piscina<WorkerTask, Outcome<unknown>>({
      filename: options.worker ?? resolve('@prof-gen/analyzer/summarize-worker'),
      maxThreads: threads,
      minThreads: 1,
      idleTimeout: 5_000,
      resourceLimits: { maxOldGenerationSizeMb: options.heapPerWorker ?? defaults.heapPerWorker },
    });
    // An error outside of a task must not end the process; the task it belonged to is rejected as well.
    opened.on('error', () => {});
    return opened;
  }

  if (summaries.size().summaries === 0) workers();

  // A file is read, and its time begins, when a thread is free: a thousand that wait take neither memory nor time.
  const schedule = largestFirst(threads);
  const underWay = new Map<string, ReturnType<Summarize>>();
  const counts = { files: 0, made: 0 };

  function known(sha256: string): FileSummary | undefined {
    const summary = summaries.get(sha256, analyzerVersion);
    if (summary === undefined) {
      workers();
      return undefined;
    }
    counts.files += 1;
    return decodeSummary(summary);
  }

  async function make(file: Parameters<Summarize>[0]): Promise<Outcome<FileSummary>> {
    options.signal?.throwIfAborted();
    const cached = known(file.sha256);
    if (cached !== undefined) return { ok: true, value: cached };
    counts.files += 1;
    counts.made += 1;
    const result = await analyse(file);
    if (!result.ok) return result;
    summaries.put(file.sha256, analyzerVersion, result.value.summary, result.value.detail);
    return { ok: true, value: decodeSummary(result.value.summary) };
  }

  /** @param worker another module than that of summaries */
  function analyse<T = WorkerValue>(file: Parameters<Summarize>[0], worker?: string): Promise<Outcome<T>> {
    return schedule(file.size, async () => {
      options.signal?.throwIfAborted();
      let bytes: Uint8Array;
      try {
        bytes = await file.read();
      } catch (error) {
        return { ok: false, error: errorData(error) };
      }
      return inWorker<T>(bytes, file.path, worker);
    });
  }

  async function detail(file: Parameters<Summarize>[0]): Promise<Outcome<FileDetail>> {
    const known = summaries.names(file.sha256, analyzerVersion);
    if (known !== undefined) return { ok: true, value: decodeDetail(known) };
    const result = await analyse(file);
    return result.ok ? { ok: true, value: decodeDetail(result.value.detail) } : result;
  }

  async function lineFacts(file: Parameters<Summarize>[0]): Promise<Outcome<LineFacts>> {
    const known = summaries.lineFacts(file.sha256, lineFactsVersion);
    if (known !== undefined) return { ok: true, value: known };
    const result = await analyse<LineFacts>(file, resolve('@prof-gen/analyzer/line-facts-worker'));
    if (result.ok) summaries.putLineFacts(file.sha256, lineFactsVersion, result.value);
    return result;
  }

  async function inWorker<T>(
    bytes: Uint8Array,
    path: string,
    worker: string | undefined,
  ): Promise<Outcome<T>> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), seconds * 1000);
    const signals = options.signal === undefined ? [limit.signal] : [limit.signal, options.signal];
    try {
      // A view of a larger buffer cannot be transferred without taking its neighbours along.
      const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      return (await workers().run(
        { bytes: own, path },
        {
          transferList: [own.buffer as ArrayBuffer],
          signal: AbortSignal.any(signals),
          ...(worker === undefined ? {} : { filename: worker }),
        },
      )) as Outcome<T>;
    } catch (error) {
      options.signal?.throwIfAborted();
      return { ok: false, error: workerError(error, path, limit.signal.aborted, seconds) };
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    counts,
    summarize(file) {
      const running = underWay.get(file.sha256);
      if (running !== undefined) return running;
      const work = make(file).finally(() => underWay.delete(file.sha256));
      underWay.set(file.sha256, work);
      return work;
    },
    known,
    detail,
    lineFacts,
    close: async () => opened?.destroy(),
  };
}

function workerError(error: unknown, path: string, timedOut: boolean, seconds: number): ErrorData {
  const file = printable(path);
  if (timedOut) {
    return {
      code: 'analysis/file-timeout',
      message: `${file} was not analysed within ${seconds} s`,
      details: { file },
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'analysis/worker-died',
    message: `the worker that analysed ${file} ended: ${printable(message)}`,
    details: { file },
  };
}
