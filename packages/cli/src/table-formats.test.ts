import type { ColumnValue, ExportedTable } from '@prof-gen/store';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { tableAs } from './table-formats.js';

const table = (columns: string[], ...rows: ColumnValue[][]): ExportedTable => ({
  name: 't',
  columns,
  rows: () => rows,
});
const odd = table(
  ['name', 'count', 'seconds', 'nothing'],
  ['a,"b"\r\nc', 1, 1.5, null],
  ['=1+1', null, 2, null],
  ['größe', -3, null, null],
);
const text = (one: ExportedTable, format: 'csv' | 'json') => [...tableAs(one, format)].join('');

describe('a table for other tools', () => {
  it('is CSV whose cells are no formulas', () => {
    expect(text(odd, 'csv')).toBe(
      'name,count,seconds,nothing\r\n"a,""b""\r\nc",1,1.5,\r\n\'=1+1,,2,\r\ngröße,-3,,\r\n',
    );
    expect(text(table(['a']), 'csv')).toBe('a\r\n');
  });

  it('is JSON that reads as its rows', () => {
    expect(JSON.parse(text(odd, 'json'))).toEqual([
      { name: 'a,"b"\r\nc', count: 1, seconds: 1.5, nothing: null },
      { name: '=1+1', count: null, seconds: 2, nothing: null },
      { name: 'größe', count: -3, seconds: null, nothing: null },
    ]);
    expect(JSON.parse(text(table(['a']), 'json'))).toEqual([]);
    const many = table(['a'], ...Array.from({ length: 2500 }, (_, n) => [n]));
    expect(JSON.parse(text(many, 'json'))).toHaveLength(2500);
  });

  it('is Parquet that reads as its rows, with types', async () => {
    const [bytes] = [...tableAs(odd, 'parquet')] as [Uint8Array];
    const file = bytes.buffer as ArrayBuffer;
    expect(await parquetReadObjects({ file })).toEqual([
      { name: 'a,"b"\r\nc', count: 1n, seconds: 1.5, nothing: null },
      { name: '=1+1', count: null, seconds: 2, nothing: null },
      { name: 'größe', count: -3n, seconds: null, nothing: null },
    ]);
    const types = parquetMetadata(file)
      .schema.slice(1)
      .map(({ type }) => type);
    expect(types).toEqual(['BYTE_ARRAY', 'INT64', 'DOUBLE', 'BYTE_ARRAY']);
    expect([...tableAs(odd, 'parquet')]).toEqual([bytes]);
  });
});
