import { ProfGenError, printable } from '@prof-gen/core';
import { resultsSchema } from './migrations/results-schema.js';
import { openDatabase } from './open-database.js';
import { storeError } from './store-error.js';

/** A value of a column: SQLite's text, number or NULL. */
export type ColumnValue = string | number | null;

/** The rows of one table or view, in a stable order. */
export interface ExportedTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** One array a row, in the columns' order; read while it is iterated. */
  rows(): Iterable<readonly ColumnValue[]>;
}

/**
 * Opens a file of results and hands over its tables and views, sorted by name, or the one that is asked for.
 * @throws ProfGenError `usage/unknown-table`, and what `openStore` throws
 */
export async function withTables<T>(
  file: string,
  table: string | undefined,
  use: (tables: readonly ExportedTable[]) => Promise<T>,
): Promise<T> {
  const database = openDatabase(file, resultsSchema, { durability: 'normal', readOnly: true });
  try {
    const names = database
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .pluck()
      .all();
    if (table !== undefined && !names.includes(table)) {
      throw new ProfGenError(
        'usage/unknown-table',
        `there is no table "${printable(table)}" in ${printable(file)}`,
        {
          hint: `its tables and views: ${names.join(', ')}`,
        },
      );
    }
    const tables = names
      .filter((name) => table === undefined || name === table)
      .map((name) => {
        const columns = database
          .prepare(`SELECT * FROM ${name}`)
          .columns()
          .map((column) => column.name);
        const order = columns.map((_, index) => index + 1).join(', ');
        const rows = () =>
          database.prepare<[], ColumnValue[]>(`SELECT * FROM ${name} ORDER BY ${order}`).raw().iterate();
        return { name, columns, rows };
      });
    return await use(tables);
  } catch (error) {
    throw storeError(error, file);
  } finally {
    database.close();
  }
}
