import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ProfGenError } from '@prof-gen/core';
import { analyzerVersion, type FileSummary, type NodeNames } from './file-summary.js';

/** No genuine summary is larger; a damaged or foreign one must not fill the memory. */
const MAX_DECODED = 512 * 1024 * 1024;

const COLUMNS = ['edgeStart', 'edgeTo', 'importStart', 'importOf', 'edgeKind'] as const;

/** Differences of neighbours compress far better than the values. */
function differences(column: ArrayLike<number>): number[] {
  return Array.from(
    { length: column.length },
    (_, i) => (column[i] ?? 0) - (i > 0 ? (column[i - 1] ?? 0) : 0),
  );
}

function sums(column: readonly number[]): number[] {
  let sum = 0;
  return column.map((difference) => {
    sum += difference;
    return sum;
  });
}

function pack(value: unknown): Uint8Array {
  return new Uint8Array(deflateRawSync(JSON.stringify(value), { level: 6 }));
}

function unpack(bytes: Uint8Array): { analyzerVersion?: unknown } {
  try {
    const text = inflateRawSync(bytes, { maxOutputLength: MAX_DECODED }).toString('utf8');
    return JSON.parse(text) as { analyzerVersion?: unknown };
  } catch (error) {
    throw new ProfGenError('analysis/bad-summary', 'A stored summary cannot be read', {
      hint: 'Clear the cache; the file will be analysed again.',
      causes: [error],
    });
  }
}

function checkVersion(value: { analyzerVersion?: unknown }): void {
  if (value.analyzerVersion === analyzerVersion) return;
  throw new ProfGenError('analysis/other-version', 'A stored summary is of another analyser version', {
    hint: 'Summaries are kept by analyser version; analyse the file again.',
  });
}

/** A summary as bytes: compressed JSON, equal for equal summaries. */
export function encodeSummary(summary: FileSummary): Uint8Array {
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, differences(summary[name])]));
  return pack({ ...summary, ...columns });
}

/** @throws ProfGenError `analysis/bad-summary`, `analysis/other-version` */
export function decodeSummary(bytes: Uint8Array): FileSummary {
  const value = unpack(bytes) as { [key: string]: unknown };
  checkVersion(value);
  const column = (name: string): number[] => sums(value[name] as number[]);
  return {
    ...(value as unknown as FileSummary),
    edgeStart: Uint32Array.from(column('edgeStart')),
    edgeTo: Uint32Array.from(column('edgeTo')),
    importStart: Uint32Array.from(column('importStart')),
    importOf: Uint32Array.from(column('importOf')),
    edgeKind: Uint8Array.from(column('edgeKind')),
  };
}

export function encodeNames(names: NodeNames): Uint8Array {
  return pack(names);
}

/** @throws ProfGenError `analysis/bad-summary`, `analysis/other-version` */
export function decodeNames(bytes: Uint8Array): NodeNames {
  const value = unpack(bytes);
  checkVersion(value);
  return value as unknown as NodeNames;
}
