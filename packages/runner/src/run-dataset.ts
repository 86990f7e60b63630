import { release } from 'node:os';
import { analyzerVersion } from '@prof-gen/analyzer';
import {
  type ErrorData,
  type EventSink,
  errorData,
  type ProfileDocument,
  type Reachability,
} from '@prof-gen/core';
import type { RunId, Store } from '@prof-gen/store';
import type { LoadedDataset } from './load-dataset.js';
import { profileImage } from './profile-image.js';
import { toolVersion } from './tool-version.js';
import { retryDelays, withRetries } from './with-retries.js';
import type { Workbench } from './workbench.js';

export interface RunDatasetInput {
  readonly loaded: LoadedDataset;
  readonly store: Store;
  /** Go on with the latest run of the same dataset, version and options that did not end. */
  readonly resume: boolean;
  /** Images under way at once. */
  readonly jobs: number;
  readonly learn: boolean;
  readonly intersectDockerDefault: boolean;
  /** What counts as reachable. */
  readonly reachability: Reachability;
  /** Compute and keep other methods' profiles, too. */
  readonly compare: boolean;
}

export interface RunSummary {
  readonly run: RunId;
  /** In the dataset's order. */
  readonly images: readonly {
    readonly name: string;
    readonly document?: ProfileDocument;
    readonly error?: ErrorData;
    /** Seconds that its phases took together. */
    readonly seconds: number;
  }[];
}

/**
 * Profiles every image of a dataset and keeps each result as soon as it is there. An image that fails for a reason that
 * may pass is tried again after a while; one that fails nevertheless costs itself only. A run that is interrupted or
 * killed stays open in the store, and `resume` goes on with what is left.
 */
export async function runDataset(
  input: RunDatasetInput,
  workbench: Workbench,
  onEvent: EventSink,
): Promise<RunSummary> {
  const { loaded, store } = input;
  const { tracer, signal } = workbench;
  // A proof needs to know for certain what was denied.
  const proves = tracer?.method === 'bpftrace';
  const identity = {
    datasetHash: loaded.hash,
    toolVersion,
    analyzerVersion,
    options: {
      static: tracer === undefined,
      learn: input.learn,
      dockerDefault: input.intersectDockerDefault,
      reachability: input.reachability,
      compare: input.compare,
      ...(tracer === undefined || proves ? {} : { tracer: tracer.method }),
    },
  };
  const run =
    (input.resume ? store.runs.unfinished(identity) : undefined) ??
    store.runs.begin({
      ...identity,
      dataset: loaded.dataset.name,
      kernel: release(),
      ...(tracer === undefined ? {} : { engine: tracer.engine }),
    });
  store.images.plan(
    run,
    loaded.images.map(({ name, official, category }) => ({
      name,
      ...(official === undefined ? {} : { official }),
      ...(category === undefined ? {} : { category }),
    })),
  );
  const pending = new Set(store.images.pending(run));
  for (const { name } of loaded.images) {
    if (!pending.has(name))
      onEvent({ type: 'finished', image: name, outcome: 'skipped', message: 'done before' });
  }
  const queue = loaded.images.filter(({ name }) => pending.has(name));
  const work = async () => {
    for (let image = queue.shift(); image !== undefined; image = queue.shift()) {
      await one(image);
    }
  };

  function tellRetry(image: string, error: ErrorData, delay: number): void {
    onEvent({ type: 'warning', image, error });
    onEvent({ type: 'note', image, message: `again in ${delay / 1000} s` });
  }

  async function one(image: LoadedDataset['images'][number]): Promise<void> {
    const { name } = image;
    signal?.throwIfAborted();
    store.images.start(run, name);
    try {
      const result = await withRetries(
        () =>
          profileImage(
            {
              name,
              reference: image.reference,
              overrides: {
                ...(image.entrypoint === undefined ? {} : { entrypoint: image.entrypoint }),
                ...(image.cmd === undefined ? {} : { cmd: image.cmd }),
                ...(image.env === undefined ? {} : { env: image.env }),
              },
              ...(image.test === undefined || !proves ? {} : { workload: image.test }),
              learn: input.learn,
              intersectDockerDefault: input.intersectDockerDefault,
              reachability: input.reachability,
              compare: input.compare,
              ...(image.official === undefined ? {} : { official: image.official }),
            },
            workbench,
            onEvent,
          ),
        { delays: retryDelays, signal, onRetry: (error, delay) => tellRetry(name, error, delay) },
      );
      onEvent({ type: 'phase', image: name, phase: 'keep' });
      store.images.finish(run, name, result);
      const { status, stats } = result.document;
      onEvent({
        type: 'finished',
        image: name,
        outcome: 'done',
        message: `${status}, ${stats.allowed} calls allowed`,
      });
    } catch (error) {
      // Interrupted: not this image's fault, so that it stays pending for --resume.
      if (signal?.aborted) throw error;
      const data = errorData(error);
      // Without a database nothing more can be kept; without an engine nothing more can be run.
      if (data.code.startsWith('store/') || data.code.startsWith('environment/')) throw error;
      store.images.fail(run, name, data);
      onEvent({ type: 'warning', image: name, error: data });
      onEvent({ type: 'finished', image: name, outcome: 'failed', message: data.code });
    }
  }

  // All have stopped before an error goes on, so that nothing runs behind the caller's back.
  const ended = await Promise.allSettled(Array.from({ length: Math.max(1, input.jobs) }, work));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;

  const summary = summaryOf(store, run);
  const failed = summary.images.filter(({ error }) => error !== undefined).length;
  const outcome = failed === 0 ? 'done' : failed === summary.images.length ? 'failed' : 'partly';
  // A finished run that was asked to resume has nothing left to end.
  if (store.runs.get(run)?.outcome === undefined) store.runs.finish(run, outcome);
  return summary;
}

function summaryOf(store: Store, run: RunId): RunSummary {
  const results = new Map(store.images.results(run).map((result) => [result.name, result]));
  return {
    run,
    images: store.images.list(run).map(({ name, error }) => {
      const result = results.get(name);
      const milliseconds = Object.values(result?.timings ?? {}).reduce((sum, part) => sum + part, 0);
      return {
        name,
        seconds: milliseconds / 1000,
        ...(result === undefined ? {} : { document: result.document }),
        ...(error === undefined ? {} : { error }),
      };
    }),
  };
}
