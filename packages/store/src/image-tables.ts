import type { Database } from 'better-sqlite3';

/** A table whose rows belong to an image, with the columns that are written (generated ones are not). */
export interface ImageTable {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Tables that hold what an image yielded, those that others refer to first. */
export function imageTables(database: Database): readonly ImageTable[] {
  const names = database
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
    .pluck()
    .all();
  return names
    .map((name) => {
      const columns = database.pragma(`table_xinfo(${name})`) as { name: string; hidden: number }[];
      return { name, columns: columns.filter(({ hidden }) => hidden === 0).map((column) => column.name) };
    })
    .filter(({ columns }) => columns.includes('image_id'));
}
