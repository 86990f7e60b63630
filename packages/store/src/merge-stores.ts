import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { compareStrings, ProfGenError, printable } from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import type { ImageState } from './image-repository.js';
import { type ImageTable, imageTables, writtenColumns } from './image-tables.js';
import { resultsSchema } from './migrations/results-schema.js';
import { openDatabase } from './open-database.js';
import { inStore } from './store-error.js';
import { lockForWriting } from './writer-lock.js';

export interface MergedRun {
  readonly dataset: string;
  readonly done: number;
  readonly failed: number;
  /** Planned somewhere and finished nowhere. */
  readonly pending: number;
  /** Images that more than one file had a result of. */
  readonly repeated: number;
}

/** One run of one file. */
interface Part {
  readonly database: Database;
  readonly file: string;
  readonly run: RunRow;
  readonly tables: readonly ImageTable[];
}

interface RunRow {
  readonly id: number;
  readonly dataset: string;
  readonly dataset_hash: string;
  readonly tool_version: string;
  readonly analyzer_version: string;
  readonly options: string;
  readonly engine: string | null;
  readonly kernel: string;
  readonly started_at: number;
  readonly finished_at: number | null;
}

/** An image of a part, with all that decides which of several is kept. */
interface Candidate {
  readonly part: Part;
  readonly id: number;
  readonly name: string;
  readonly position: number;
  readonly digest: string | null;
  readonly rank: number;
  /** 1 for one without a comparison. */
  readonly lacksComparison: number;
}

/** A finished image is worth more than a failed one, and that more than one that was not done. */
const ranks: Readonly<Record<ImageState, number>> = { done: 0, failed: 1, started: 2, pending: 3 };

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const compareCandidates = (a: Candidate, b: Candidate): number =>
  a.rank - b.rank || a.lacksComparison - b.lacksComparison || compareStrings(contentOf(a), contentOf(b));

/** What tells two results of one image apart; read where nothing else does, since documents are large. */
function contentOf({ part, id }: Candidate): string {
  return (
    part.database
      .prepare<[number], string>(
        `SELECT coalesce(document, error, '') || coalesce(finished_at, '')
         FROM images LEFT JOIN profiles ON profiles.image_id = images.id WHERE id = ?`,
      )
      .pluck()
      .get(id) ?? ''
  );
}

/**
 * Brings the runs of several files together in a new one. Runs with the same dataset, tool, analyser and options
 * become one; an image that several have is taken once: a finished one before a failed one, one with a comparison
 * before one without, then by its content, so that the order of the files does not matter. A run of which every
 * image is done or failed has an outcome; another can be resumed.
 *
 * Rows are copied as they are. Kernels that differ are listed; an engine is kept where all agree, since each image's
 * own observation names the engine that it was made on.
 * @throws ProfGenError `store/exists`, `store/other-image` when two finished images of one name have different
 *   digests, and what `openStore` throws
 */
export async function mergeStores(files: readonly string[], target: string): Promise<readonly MergedRun[]> {
  if (existsSync(target)) {
    throw new ProfGenError('store/exists', `${printable(target)} exists already`, {
      hint: 'name a file that does not exist, or remove it',
    });
  }
  const lock = lockForWriting(target);
  const sources: Database[] = [];
  let merged: Database | undefined;
  try {
    const parts = files.flatMap((file) => {
      const database = openDatabase(file, resultsSchema, { durability: 'normal', readOnly: true });
      sources.push(database);
      const runs = inStore(file, () => database.prepare<[], RunRow>('SELECT * FROM runs').all());
      const tables = imageTables(database);
      return runs.map((run) => ({ database, file, run, tables }));
    });
    const into = openDatabase(target, resultsSchema, { durability: 'full' });
    merged = into;
    const write = into.transaction(() => runsOf(parts).map((run) => mergeRun(run, into)));
    const written = inStore(target, () => write.immediate());
    into.close();
    return written;
  } catch (error) {
    merged?.close();
    for (const suffix of ['', '-wal', '-shm']) await rm(`${target}${suffix}`, { force: true });
    throw error;
  } finally {
    for (const database of sources) database.close();
    lock.release();
  }
}

/** Parts of one run each, in an order that does not depend on the files'. */
function runsOf(parts: readonly Part[]): readonly (readonly Part[])[] {
  const identity = ({ run }: Part): string =>
    [run.dataset, run.dataset_hash, run.tool_version, run.analyzer_version, run.options].join('\n');
  const groups = groupBy(parts, identity);
  return [...groups].sort(([a], [b]) => compareStrings(a, b)).map(([, group]) => group);
}

function mergeRun(parts: readonly Part[], into: Database): MergedRun {
  const [{ run }] = parts as readonly [Part, ...Part[]];
  const groups = [...groupBy(parts.flatMap(candidatesOf), ({ name }) => name)]
    .map(([name, group]) => ({
      name,
      best: [...group].sort(compareCandidates),
      position: Math.min(...group.map(({ position }) => position)),
    }))
    .sort((a, b) => a.position - b.position || compareStrings(a.name, b.name));
  const count = (rank: number): number => groups.filter(({ best }) => best[0]?.rank === rank).length;
  const done = count(0);
  const failed = count(1);
  const pending = groups.length - done - failed;
  const engines = new Set(parts.map((part) => part.run.engine));
  const ends = parts.flatMap((part) => part.run.finished_at ?? []);
  const outcome = pending > 0 ? null : failed === 0 ? 'done' : done === 0 ? 'failed' : 'partly';
  const { lastInsertRowid } = into
    .prepare(
      `INSERT INTO runs (dataset, dataset_hash, tool_version, analyzer_version, options, engine, kernel, outcome, started_at, finished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      run.dataset,
      run.dataset_hash,
      run.tool_version,
      run.analyzer_version,
      run.options,
      engines.size === 1 ? run.engine : null,
      [...new Set(parts.map((part) => part.run.kernel))].sort().join(', '),
      outcome,
      Math.min(...parts.map((part) => part.run.started_at)),
      outcome === null ? null : Math.max(...ends, run.started_at),
    );
  let repeated = 0;
  for (const [position, { name, best }] of groups.entries()) {
    const finished = best.filter(({ rank }) => rank === 0);
    if (finished.length > 1) repeated += 1;
    if (new Set(finished.map(({ digest }) => digest)).size > 1) throw otherImage(name, finished);
    if (best[0] !== undefined) copyImage(best[0], Number(lastInsertRowid), position, into);
  }
  return { dataset: run.dataset, done, failed, pending, repeated };
}

function candidatesOf(part: Part): readonly Candidate[] {
  const lacks = part.tables.some(({ name }) => name === 'comparisons')
    ? 'NOT EXISTS (SELECT 1 FROM comparisons WHERE image_id = images.id)'
    : '1';
  return part.database
    .prepare<[number], Omit<Candidate, 'part' | 'rank'> & { state: ImageState }>(
      `SELECT id, name, position, digest, state, ${lacks} AS lacksComparison FROM images WHERE run_id = ?`,
    )
    .all(part.run.id)
    .map(({ state, ...rest }) => ({ ...rest, part, rank: ranks[state] }));
}

function copyImage({ part, id }: Candidate, run: number, position: number, into: Database): void {
  const { database, tables } = part;
  const written = writtenColumns(database, 'images').filter((column) => column !== 'id');
  const image = database
    .prepare<[number], Record<string, unknown>>(`SELECT ${written.join(', ')} FROM images WHERE id = ?`)
    .get(id);
  const row = { ...image, run_id: run, position };
  const copy = insertInto('images', Object.keys(row), into).run(...Object.values(row));
  const files = into.prepare('INSERT INTO files (sha256) VALUES (?) ON CONFLICT DO NOTHING');
  const contents = database
    .prepare<[number, number], string>(
      'SELECT sha256 FROM programs WHERE image_id = ? UNION SELECT sha256 FROM objects WHERE image_id = ?',
    )
    .pluck();
  for (const sha256 of contents.iterate(id, id)) files.run(sha256);
  for (const { name, columns } of tables) {
    const insert = insertInto(name, columns, into);
    const at = columns.indexOf('image_id');
    const rows = database
      .prepare<[number], unknown[]>(`SELECT ${columns.join(', ')} FROM ${name} WHERE image_id = ?`)
      .raw();
    for (const values of rows.iterate(id)) insert.run(...values.with(at, copy.lastInsertRowid));
  }
}

const insertInto = (table: string, columns: readonly string[], into: Database) =>
  into.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`);

function otherImage(name: string, candidates: readonly Candidate[]): ProfGenError {
  const said = candidates.map(({ digest, part }) => `${printable(digest ?? '')} in ${printable(part.file)}`);
  return new ProfGenError(
    'store/other-image',
    `"${printable(name)}" is another image in another file: ${said.sort().join(', ')}`,
    { hint: 'a dataset that pins digests gives every machine the same images; run one of them again' },
  );
}
