import {
  type ErrorData,
  type ImageComparison,
  imageComparisonSchema,
  type ProfileDocument,
  ProfGenError,
  printable,
  profileDocumentSchema,
} from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import { canonicalJson } from './canonical-json.js';
import type { ImageResult } from './image-result.js';
import { resultWriter } from './result-writer.js';
import type { RunId } from './run-repository.js';
import { inStore } from './store-error.js';

/** An image that a run will profile. */
export interface PlannedImage {
  readonly name: string;
  /** Official image it stands for, with tag. */
  readonly official?: string;
  readonly category?: string;
}

/** `started` and never finished means that the process ended meanwhile: it is pending again. */
export type ImageState = 'pending' | 'started' | 'done' | 'failed';

export interface ImageRecord extends PlannedImage {
  readonly state: ImageState;
  /** How often it was started. */
  readonly attempts: number;
  readonly error?: ErrorData;
}

export interface ImageRepository {
  /**
   * Writes down what a run will do, in order. A run that is resumed has its plan already: equal names change nothing.
   * @throws ProfGenError `store/other-plan` when the run was planned with other names
   */
  plan(run: RunId, images: readonly PlannedImage[]): void;
  /** Names that are neither done nor failed, in the plan's order. */
  pending(run: RunId): readonly string[];
  /** Makes failed images pending again, for another try. @returns their names */
  retryFailed(run: RunId): readonly string[];
  start(run: RunId, name: string): void;
  /** Keeps everything of an image in one transaction: after a crash it is there wholly, or the image is pending. */
  finish(run: RunId, name: string, result: ImageResult): void;
  fail(run: RunId, name: string, error: ErrorData): void;
  /** In the plan's order. */
  list(run: RunId): readonly ImageRecord[];
  /**
   * What `finish` was given; undefined for an image that is not done.
   * @throws ProfGenError `store/corrupt` when the kept document is not one
   */
  result(run: RunId, name: string): ImageResult | undefined;
  /** Results of all images that are done, in the plan's order. */
  results(run: RunId): readonly (ImageResult & { readonly name: string })[];
}

interface ListRow {
  name: string;
  official: string | null;
  category: string | null;
  state: ImageState;
  attempts: number;
  error: string | null;
}

export function imageRepository(database: Database): ImageRepository {
  const file = database.name;
  const insert = database.prepare(
    "INSERT INTO images (run_id, position, name, official, category, state) VALUES (?, ?, ?, ?, ?, 'pending')",
  );
  const list = database.prepare<[number], ListRow>(
    'SELECT name, official, category, state, attempts, error FROM images WHERE run_id = ? ORDER BY position',
  );
  const pending = database
    .prepare<[number], string>(
      "SELECT name FROM images WHERE run_id = ? AND state IN ('pending', 'started') ORDER BY position",
    )
    .pluck();
  const retry = database.prepare(
    `UPDATE images SET state = 'pending', error = NULL, finished_at = NULL WHERE run_id = ? AND name = ?`,
  );
  const start = database.prepare(
    `UPDATE images SET state = 'started', attempts = attempts + 1, started_at = ?
     WHERE run_id = ? AND name = ? AND state IN ('pending', 'started')`,
  );
  const done = database
    .prepare<[number, string, string, string, string, number, string], number>(
      `UPDATE images SET state = 'done', finished_at = ?, reference = ?, digest = ?, platform = ?, command = ?
       WHERE run_id = ? AND name = ? AND state IN ('pending', 'started') RETURNING id`,
    )
    .pluck();
  const failed = database.prepare(
    `UPDATE images SET state = 'failed', finished_at = ?, error = ?
     WHERE run_id = ? AND name = ? AND state IN ('pending', 'started')`,
  );
  const kept = database.prepare<[number, string], { id: number; document: string; docker: string }>(
    `SELECT images.id, document, docker FROM images JOIN profiles ON profiles.image_id = images.id
     WHERE run_id = ? AND name = ?`,
  );
  const timings = database.prepare<[number], { phase: string; milliseconds: number }>(
    'SELECT phase, milliseconds FROM timings WHERE image_id = ? ORDER BY phase',
  );
  // A file that an older version wrote and that is opened for reading only has no such table.
  const hasComparisons =
    database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'comparisons'").get() !== undefined;
  const compared = hasComparisons
    ? database.prepare<[number], string>('SELECT document FROM comparisons WHERE image_id = ?').pluck()
    : undefined;
  // Statements for writing need all tables, and a reader may have an older file.
  let writer: ReturnType<typeof resultWriter> | undefined;
  const writeResult: ReturnType<typeof resultWriter> = (image, one) => {
    writer ??= resultWriter(database);
    writer(image, one);
  };

  const plan = database.transaction((run: RunId, images: readonly PlannedImage[]) => {
    const names = images.map(({ name }) => name);
    const planned = list.all(run).map(({ name }) => name);
    if (planned.length === 0) {
      images.forEach(({ name, official, category }, position) => {
        insert.run(run, position, name, official ?? null, category ?? null);
      });
    } else if (planned.join('\n') !== names.join('\n')) {
      throw new ProfGenError('store/other-plan', `run ${run} in ${file} was planned with other images`, {
        hint: 'start a new run',
      });
    }
  });

  const finish = database.transaction((run: RunId, name: string, result: ImageResult) => {
    const { image, command } = result.document;
    const id = done.get(
      Date.now(),
      image.reference,
      image.digest,
      image.platform,
      canonicalJson(command),
      run,
      name,
    );
    if (id === undefined) throw notUnderWay(file, run, name);
    writeResult(id, result);
  });

  const retryFailed = database.transaction((run: RunId) => {
    const names = list
      .all(run)
      .filter(({ state }) => state === 'failed')
      .map(({ name }) => name);
    for (const name of names) retry.run(run, name);
    return names;
  });

  const result = (run: RunId, name: string): ImageResult | undefined => {
    const row = inStore(file, () => kept.get(run, name));
    if (row === undefined) return undefined;
    const phases = inStore(file, () => timings.all(row.id));
    const comparison = inStore(file, () => compared?.get(row.id));
    return {
      document: documentOf(row.document, file, name),
      dockerProfile: row.docker,
      ...(comparison === undefined ? {} : { comparison: comparisonOf(comparison, file, name) }),
      timings: Object.fromEntries(phases.map(({ phase, milliseconds }) => [phase, milliseconds])),
    };
  };

  return {
    plan: (run, names) => inStore(file, () => plan.immediate(run, names)),
    pending: (run) => inStore(file, () => pending.all(run)),
    retryFailed: (run) => inStore(file, () => retryFailed.immediate(run)),
    start(run, name) {
      const { changes } = inStore(file, () => start.run(Date.now(), run, name));
      if (changes === 0) throw notUnderWay(file, run, name);
    },
    finish: (run, name, result) => inStore(file, () => finish.immediate(run, name, result)),
    fail(run, name, error) {
      const text = JSON.stringify(error);
      const { changes } = inStore(file, () => failed.run(Date.now(), text, run, name));
      if (changes === 0) throw notUnderWay(file, run, name);
    },
    list: (run) =>
      inStore(file, () =>
        list.all(run).map(({ official, category, error, ...rest }) => ({
          ...rest,
          ...(official === null ? {} : { official }),
          ...(category === null ? {} : { category }),
          ...(error === null ? {} : { error: JSON.parse(error) as ErrorData }),
        })),
      ),
    result,
    results: (run) =>
      inStore(file, () => list.all(run)).flatMap(({ name }) => {
        const one = result(run, name);
        return one === undefined ? [] : [{ name, ...one }];
      }),
  };
}

function notUnderWay(file: string, run: RunId, name: string): ProfGenError {
  return new ProfGenError(
    'store/unknown-image',
    `no image "${printable(name)}" is waiting to be done in run ${run} of ${printable(file)}`,
    { hint: 'it was not planned, or it has been done already' },
  );
}

function documentOf(text: string, file: string, name: string): ProfileDocument {
  const parsed = profileDocumentSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw corrupt('document', file, name, parsed.error.message);
}

function comparisonOf(text: string, file: string, name: string): ImageComparison {
  const parsed = imageComparisonSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw corrupt('comparison', file, name, parsed.error.message);
}

function corrupt(what: string, file: string, name: string, problem: string): ProfGenError {
  return new ProfGenError(
    'store/corrupt',
    `the ${what} of ${printable(name)} in ${printable(file)} is not one: ${printable(problem)}`,
    { hint: 'somebody changed the file by hand, or another version wrote it; run the image again' },
  );
}
