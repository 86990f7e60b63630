import type { FiguresTable } from '@prof-gen/runner';
import { textTable } from './text-table.js';

/** Plain text, for a terminal. */
export function tablesAsText(tables: readonly FiguresTable[]): string {
  return tables
    .map(({ title, header, rows }) => `${title}\n\n${rows.length === 0 ? 'none\n' : textTable(header, rows)}`)
    .join('\n');
}
