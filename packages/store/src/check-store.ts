import { ProfGenError, printable } from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import { imageRepository } from './image-repository.js';
import { imageTables } from './image-tables.js';
import { resultsSchema } from './migrations/results-schema.js';
import { openDatabase } from './open-database.js';
import { runRepository } from './run-repository.js';
import { inStore } from './store-error.js';

/** Something in a file of results that should not be. */
export interface StoreProblem {
  /** `run 3`, `redis of run 3`, or the whole `file`. */
  readonly where: string;
  readonly problem: string;
}

/**
 * Checks a file of results: SQLite's own structure, references, that each run's outcome agrees with its images,
 * that each document is one, and that the tables say what the document says, by spreading it anew.
 * @throws ProfGenError what `openStore` throws when the file cannot be read at all
 */
export function checkStore(file: string): readonly StoreProblem[] {
  const database = openDatabase(file, resultsSchema, { durability: 'normal', readOnly: true });
  try {
    return inStore(file, () => problemsOf(database));
  } finally {
    database.close();
  }
}

function problemsOf(database: Database): readonly StoreProblem[] {
  const integrity = database.pragma('integrity_check') as { integrity_check: string }[];
  const problems: StoreProblem[] = integrity
    .filter(({ integrity_check: said }) => said !== 'ok')
    .map(({ integrity_check: said }) => ({ where: 'file', problem: printable(said) }));
  // Pages that are damaged are not worth reading on.
  if (problems.length > 0) return problems;
  const references = database.pragma('foreign_key_check') as { table: string; parent: string }[];
  for (const { table, parent } of references) {
    problems.push({
      where: 'file',
      problem: `a row of ${table} refers to a row of ${parent} that is not there`,
    });
  }
  const runs = runRepository(database);
  const images = imageRepository(database);
  const ids = database
    .prepare<[number, string], number>('SELECT id FROM images WHERE run_id = ? AND name = ?')
    .pluck();
  for (const run of [...runs.list()].reverse()) {
    const planned = images.list(run.id);
    const open = planned.filter(({ state }) => state === 'pending' || state === 'started').length;
    const failed = planned.filter(({ state }) => state === 'failed').length;
    const where = `run ${run.id}`;
    if (run.outcome !== undefined && open > 0) {
      problems.push({ where, problem: `has ended (${run.outcome}), and ${open} of its images are not done` });
    }
    if (run.outcome === 'done' && failed > 0) {
      problems.push({ where, problem: `is done, and ${failed} of its images have failed` });
    }
    for (const { name, state } of planned) {
      if (state !== 'done') continue;
      const id = ids.get(run.id, name);
      const at = `${printable(name)} of ${where}`;
      if (id !== undefined) {
        for (const problem of tablesOf(database, images, run.id, id, name))
          problems.push({ where: at, problem });
      }
    }
  }
  return problems;
}

/** Spreads an image's document over the tables of an empty database and compares row by row. */
function tablesOf(
  database: Database,
  images: ReturnType<typeof imageRepository>,
  run: Parameters<ReturnType<typeof imageRepository>['result']>[0],
  id: number,
  name: string,
): readonly string[] {
  const anew = openDatabase(':memory:', resultsSchema, { durability: 'normal' });
  try {
    const result = images.result(run, name);
    if (result === undefined) return ['is done and has no document'];
    const again = imageRepository(anew);
    const record = {
      datasetHash: '',
      toolVersion: '',
      analyzerVersion: '',
      options: {},
      dataset: '',
      kernel: '',
    };
    const runAgain = runRepository(anew).begin(record);
    again.plan(runAgain, [{ name }]);
    again.start(runAgain, name);
    again.finish(runAgain, name, result);
    const idAgain = anew.prepare<[], number>('SELECT id FROM images').pluck().get() ?? 0;
    return imageTables(database).flatMap(({ name: table, columns }) => {
      // The text of a document may have its keys in another order; all else is made from it.
      const compared = columns.filter((column) => column !== 'image_id' && column !== 'document');
      const rows = (of: Database, image: number): string =>
        JSON.stringify(
          of
            .prepare(
              `SELECT ${compared.join(', ')} FROM ${table} WHERE image_id = ? ORDER BY ${compared.join(', ')}`,
            )
            .raw()
            .all(image),
        );
      return rows(database, id) === rows(anew, idAgain)
        ? []
        : [`the table ${table} says something else than the document`];
    });
  } catch (error) {
    if (error instanceof ProfGenError) return [error.message];
    throw error;
  } finally {
    anew.close();
  }
}
