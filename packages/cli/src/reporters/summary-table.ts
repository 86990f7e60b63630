import type { ProfileDocument } from '@prof-gen/core';
import { textTable } from './text-table.js';

export interface SummaryRow {
  readonly name: string;
  readonly document?: ProfileDocument;
  /** Code of the error that ended it. */
  readonly failed?: string;
  readonly seconds: number;
}

const header = [
  'image',
  'programs',
  'files',
  'static',
  'traced',
  'allowed',
  'docker',
  'misses',
  'proof',
  'seconds',
];

/** The closing table of a run. `docker` is what Docker's default profile would allow. */
export function summaryTable(rows: readonly SummaryRow[]): string {
  return textTable(
    header,
    rows.map(({ name, document, failed, seconds }) => {
      if (document === undefined)
        return [name, '', '', '', '', '', '', '', failed ?? 'not run', seconds.toFixed(1)];
      const { stats } = document;
      return [
        name,
        ...[stats.programs, stats.files, stats.static, stats.traced, stats.allowed, stats.dockerDefault].map(
          String,
        ),
        String(document.staticMisses.length),
        document.proof?.status ?? document.status,
        seconds.toFixed(1),
      ];
    }),
  );
}
