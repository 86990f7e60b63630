import type { Database } from 'better-sqlite3';

/** A table whose rows belong to an image, with its written columns. */
export interface ImageTable {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Columns of a table that are written; generated ones are not. */
export function writtenColumns(database: Database, table: string): readonly string[] {
  const columns = database.pragma(`table_xinfo(${table})`) as { name: string; hidden: number }[];
  return columns.filter(({ hidden }) => hidden === 0).map(({ name }) => name);
}

/** Tables that hold what an image yielded, those that others refer to first. */
export function imageTables(database: Database): readonly ImageTable[] {
  const names = database
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
    .pluck()
    .all();
  return names
    .map((name) => ({ name, columns: writtenColumns(database, name) }))
    .filter(({ columns }) => columns.includes('image_id'));
}
