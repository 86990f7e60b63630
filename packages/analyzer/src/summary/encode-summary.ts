import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { ProfGenError } from '@prof-gen/core/base';
import { decodeColumns, encodeColumns } from './column-format.js';
import { analyzerVersion, type FileDetail, type FileSummary } from './file-summary.js';

/** No genuine summary is larger; a damaged or foreign one must not fill the memory. */
const MAX_DECODED = 512 * 1024 * 1024;

function pack(value: unknown): Uint8Array {
  const columns = encodeColumns(value);
  return new Uint8Array(
    brotliCompressSync(columns, {
      // A tenth smaller than deflate at the same speed; the next level takes as long again for a hundredth.
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: columns.length },
    }),
  );
}

function unpack(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = decodeColumns(brotliDecompressSync(bytes, { maxOutputLength: MAX_DECODED }));
  } catch (error) {
    throw new ProfGenError('analysis/bad-summary', 'A stored summary cannot be read', {
      hint: 'Clear the cache; the file will be analysed again.',
      causes: [error],
    });
  }
  const known = value as Readonly<Record<string, unknown>> | null | undefined;
  if (known?.['analyzerVersion'] === analyzerVersion) return known;
  throw new ProfGenError('analysis/other-version', 'A stored summary is of another analyser version', {
    hint: 'Summaries are kept by analyser version; analyse the file again.',
  });
}

/**
 * Rows as differences: how many there are in each, and for each target the distance from the one before, for the
 * first from `origin`. Nodes lead to nodes with nearby lower numbers, so most differences are small.
 */
function differencesOf(
  start: Uint32Array,
  to: Uint32Array,
  origin: (node: number) => number,
): { readonly counts: number[]; readonly steps: number[] } {
  const counts: number[] = [];
  const steps: number[] = [];
  for (let node = 0; node + 1 < start.length; node++) {
    const end = start[node + 1] ?? 0;
    counts.push(end - (start[node] ?? 0));
    let last = origin(node);
    for (let i = start[node] ?? 0; i < end; i++) {
      steps.push((to[i] ?? 0) - last);
      last = to[i] ?? 0;
    }
  }
  return { counts, steps };
}

function rowsOf(
  { counts, steps }: ReturnType<typeof differencesOf>,
  origin: (node: number) => number,
): { readonly start: Uint32Array; readonly to: Uint32Array } {
  const start = new Uint32Array(counts.length + 1);
  const to = new Uint32Array(steps.length);
  let at = 0;
  counts.forEach((count, node) => {
    let last = origin(node);
    for (const end = at + count; at < end; at++) {
      last += steps[at] ?? 0;
      to[at] = last;
    }
    start[node + 1] = at;
  });
  return { start, to };
}

const itself = (node: number): number => node;
const zero = (): number => 0;

/** A summary as compressed bytes, equal for equal summaries. */
export function encodeSummary(summary: FileSummary): Uint8Array {
  return pack(plainSummary(summary));
}

function plainSummary(summary: FileSummary) {
  const { edgeStart, edgeTo, importStart, importOf, ...rest } = summary;
  return {
    ...rest,
    edges: differencesOf(edgeStart, edgeTo, itself),
    importEdges: differencesOf(importStart, importOf, zero),
  };
}

/** @throws ProfGenError `analysis/bad-summary`, `analysis/other-version` */
export function decodeSummary(bytes: Uint8Array): FileSummary {
  return summaryOf(unpack(bytes) as unknown as ReturnType<typeof plainSummary>);
}

function summaryOf({ edges, importEdges, ...rest }: ReturnType<typeof plainSummary>): FileSummary {
  const internal = rowsOf(edges, itself);
  const external = rowsOf(importEdges, zero);
  return {
    ...rest,
    edgeStart: internal.start,
    edgeTo: internal.to,
    importStart: external.start,
    importOf: external.to,
  };
}

/** A detail as bytes, in the same form. */
export function encodeDetail(detail: FileDetail): Uint8Array {
  return pack(plainDetail(detail));
}

function plainDetail(detail: FileDetail) {
  return { ...detail, graph: plainSummary(detail.graph) };
}

/** @throws ProfGenError `analysis/bad-summary`, `analysis/other-version` */
export function decodeDetail(bytes: Uint8Array): FileDetail {
  const { graph, ...rest } = unpack(bytes) as unknown as ReturnType<typeof plainDetail>;
  return { ...rest, graph: summaryOf(graph) };
}
