import { type EngineFacts, ProfGenError } from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import { canonicalJson, type Json } from './canonical-json.js';
import { inStore } from './store-error.js';

/** A run in one file of results. */
export type RunId = number & { readonly __run: unique symbol };

/** What a run is: two runs with equal identity would give equal results on the same machine. */
export interface RunIdentity {
  /** Hash of the dataset's content, in any stable form. */
  readonly datasetHash: string;
  readonly toolVersion: string;
  readonly analyzerVersion: string;
  /** Everything that changes results; nothing that does not, such as the number of threads. */
  readonly options: Readonly<Record<string, Json>>;
}

export interface NewRun extends RunIdentity {
  readonly dataset: string;
  /** Absent for a run without an engine. */
  readonly engine?: EngineFacts;
  /** Release of the machine's kernel. */
  readonly kernel: string;
}

/** `partly`: some images failed. A run without an outcome is under way, or was killed. */
export type RunOutcome = 'done' | 'partly' | 'failed';

export interface RunRecord extends NewRun {
  readonly id: RunId;
  readonly outcome?: RunOutcome;
  /** Milliseconds since 1970. Bookkeeping: never part of a result. */
  readonly startedAt: number;
  readonly finishedAt?: number;
}

export interface RunRepository {
  begin(run: NewRun): RunId;
  /** The latest run of this identity that has no outcome: what `--resume` goes on with. */
  unfinished(identity: RunIdentity): RunId | undefined;
  /** @throws ProfGenError `store/unknown-run`, also when it has an outcome already */
  finish(id: RunId, outcome: RunOutcome): void;
  get(id: RunId): RunRecord | undefined;
  /** The latest first. */
  list(): readonly RunRecord[];
}

interface Row {
  id: number;
  dataset: string;
  dataset_hash: string;
  tool_version: string;
  analyzer_version: string;
  options: string;
  engine: string | null;
  kernel: string;
  outcome: RunOutcome | null;
  started_at: number;
  finished_at: number | null;
}

export function runRepository(database: Database): RunRepository {
  const file = database.name;
  const insert = database.prepare(
    `INSERT INTO runs (dataset, dataset_hash, tool_version, analyzer_version, options, engine, kernel, started_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const unfinished = database
    .prepare<[string, string, string, string], number>(
      `SELECT id FROM runs WHERE outcome IS NULL
         AND dataset_hash = ? AND tool_version = ? AND analyzer_version = ? AND options = ?
       ORDER BY id DESC LIMIT 1`,
    )
    .pluck();
  const finish = database.prepare(
    'UPDATE runs SET outcome = ?, finished_at = ? WHERE id = ? AND outcome IS NULL',
  );
  const one = database.prepare<[number], Row>('SELECT * FROM runs WHERE id = ?');
  const all = database.prepare<[], Row>('SELECT * FROM runs ORDER BY id DESC');

  return {
    begin: (run) =>
      inStore(file, () => {
        const { lastInsertRowid } = insert.run(
          run.dataset,
          run.datasetHash,
          run.toolVersion,
          run.analyzerVersion,
          canonicalJson(run.options),
          run.engine === undefined ? null : canonicalJson(run.engine),
          run.kernel,
          Date.now(),
        );
        return Number(lastInsertRowid) as RunId;
      }),
    unfinished: ({ datasetHash, toolVersion, analyzerVersion, options }) =>
      inStore(file, () =>
        unfinished.get(datasetHash, toolVersion, analyzerVersion, canonicalJson(options)),
      ) as RunId | undefined,
    finish(id, outcome) {
      const { changes } = inStore(file, () => finish.run(outcome, Date.now(), id));
      if (changes === 0) throw new ProfGenError('store/unknown-run', `no run ${id} is under way in ${file}`);
    },
    get: (id) => inStore(file, () => one.all(id).map(recordOf)[0]),
    list: () => inStore(file, () => all.all().map(recordOf)),
  };
}

function recordOf(row: Row): RunRecord {
  return {
    id: row.id as RunId,
    dataset: row.dataset,
    datasetHash: row.dataset_hash,
    toolVersion: row.tool_version,
    analyzerVersion: row.analyzer_version,
    options: JSON.parse(row.options) as Record<string, Json>,
    ...(row.engine === null ? {} : { engine: JSON.parse(row.engine) as EngineFacts }),
    kernel: row.kernel,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    startedAt: row.started_at,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
  };
}
