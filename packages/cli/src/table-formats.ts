import type { ColumnValue, ExportedTable } from '@prof-gen/store';
import { stringify } from 'csv-stringify/sync';
import { type BasicType, parquetWriteBuffer } from 'hyparquet-writer';

export const exportFormats = ['csv', 'json', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const batchRows = 1000;

/**
 * A table in pieces of a format. CSV (RFC 4180): a line of names, NULL as an empty cell, and an apostrophe before what
 * a spreadsheet would run as a formula. JSON: an array of objects. Parquet: one piece; whole numbers as INT64,
 * others as DOUBLE, all else as text.
 */
export function* tableAs(table: ExportedTable, format: ExportFormat): Generator<string | Uint8Array> {
  switch (format) {
    case 'csv':
      yield csv([table.columns]);
      for (const rows of batches(table)) yield csv(rows);
      break;
    case 'json': {
      let before = '[';
      for (const rows of batches(table)) {
        for (const row of rows) {
          const pairs = table.columns.map((column, index) => [column, row[index] ?? null]);
          yield `${before}\n${JSON.stringify(Object.fromEntries(pairs))}`;
          before = ',';
        }
      }
      yield before === '[' ? '[]\n' : '\n]\n';
      break;
    }
    case 'parquet':
      yield parquet(table);
  }
}

const csv = (rows: readonly (readonly ColumnValue[])[]): string =>
  stringify([...rows], { escape_formulas: true, record_delimiter: 'windows' });

function* batches(table: ExportedTable): Generator<readonly (readonly ColumnValue[])[]> {
  let batch: (readonly ColumnValue[])[] = [];
  for (const row of table.rows()) {
    batch.push(row);
    if (batch.length === batchRows) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function parquet(table: ExportedTable): Uint8Array {
  const data = table.columns.map((): ColumnValue[] => []);
  for (const row of table.rows()) {
    for (const [index, values] of data.entries()) values.push(row[index] ?? null);
  }
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: table.columns.map((name, index) => ({ name, nullable: true, ...typed(data[index] ?? []) })),
    }),
  );
}

function typed(values: readonly ColumnValue[]): {
  type: BasicType;
  data: (string | number | bigint | null)[];
} {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || known.some((value) => typeof value === 'string')) {
    return { type: 'STRING', data: values.map((value) => (value === null ? null : String(value))) };
  }
  if (known.every((value) => Number.isSafeInteger(value))) {
    return { type: 'INT64', data: values.map((value) => (value === null ? null : BigInt(value))) };
  }
  return { type: 'DOUBLE', data: [...values] as (number | null)[] };
}
