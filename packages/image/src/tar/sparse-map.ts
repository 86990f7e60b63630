import type { ByteInput } from '../stream/byte-input.js';
import { badHeader, truncated } from './tar-error.js';
import { blockSize, tarNumber } from './tar-header.js';

/** A run of stored bytes and where it belongs in the file; holes between runs are zeros. */
export interface SparseRun {
  readonly offset: number;
  readonly length: number;
}

/** More fragments than any real file has, few enough to hold. */
const maxRuns = 200_000;

/** Checks order and bounds. @throws ProfGenError `archive/bad-header` */
export function checkedRuns(
  runs: readonly SparseRun[],
  size: number,
  stored: number,
  offset: number,
): readonly SparseRun[] {
  let end = 0;
  let sum = 0;
  for (const run of runs) {
    if (!(run.offset >= end && run.length >= 0 && run.offset + run.length <= size)) {
      throw badHeader('the map of a sparse file is out of order', offset);
    }
    end = run.offset + run.length;
    sum += run.length;
  }
  if (sum !== stored) throw badHeader('the map of a sparse file does not fit its data', offset);
  return runs;
}

/** The map of an old GNU sparse file (type S): in the header, and in blocks that follow it. */
export async function readGnuSparseMap(
  header: Uint8Array,
  input: ByteInput,
  offset: number,
): Promise<{ runs: readonly SparseRun[]; size: number }> {
  const runs: SparseRun[] = [];
  const take = (block: Uint8Array, from: number, count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const at = from + i * 24;
      if (block[at] === 0) return;
      const start = tarNumber(block.subarray(at, at + 12));
      const length = tarNumber(block.subarray(at + 12, at + 24));
      if (start === undefined || length === undefined)
        throw badHeader('the map of a sparse file is no number', offset);
      runs.push({ offset: start, length });
      if (runs.length > maxRuns) throw badHeader('a sparse file has too many fragments', offset);
    }
  };
  take(header, 386, 4);
  const size = tarNumber(header.subarray(483, 495));
  if (size === undefined || size < 0) throw badHeader('the size of a sparse file is no number', offset);
  let more = header[482] !== 0;
  while (more) {
    const block = await input.read(blockSize);
    if (block.length < blockSize) throw truncated(input.position);
    take(block, 0, 21);
    more = block[504] !== 0;
  }
  return { runs, size };
}

/** Pairs of offset and length, as PAX formats 0.0 and 0.1 write them. */
export function runsFromNumbers(numbers: readonly string[], offset: number): readonly SparseRun[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * maxRuns) {
    throw badHeader('the map of a sparse file is malformed', offset);
  }
  const runs: SparseRun[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    runs.push({ offset: decimal(numbers[i] ?? '', offset), length: decimal(numbers[i + 1] ?? '', offset) });
  }
  return runs;
}

export function decimal(text: string, offset: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw badHeader('a PAX value is no number', offset);
  return value;
}

/**
 * The map of PAX format 1.0: decimal lines before the data, padded to a block.
 * @returns the runs, and the bytes the map took
 */
export async function readPaxSparseMap(
  input: ByteInput,
  stored: number,
  offset: number,
): Promise<{ runs: readonly SparseRun[]; mapBytes: number }> {
  const numbers: string[] = [];
  let wanted = 1;
  let line = '';
  let mapBytes = 0;
  while (numbers.length < wanted) {
    if (mapBytes + blockSize > stored)
      throw badHeader('the map of a sparse file is longer than its data', offset);
    const block = await input.read(blockSize);
    if (block.length < blockSize) throw truncated(input.position);
    mapBytes += blockSize;
    for (const byte of block) {
      if (numbers.length === wanted) break;
      if (byte !== 0x0a) {
        line += String.fromCharCode(byte);
        if (line.length > 16) throw badHeader('a PAX value is no number', offset);
        continue;
      }
      numbers.push(line);
      if (numbers.length === 1) {
        const count = decimal(line, offset);
        if (count > maxRuns) throw badHeader('a sparse file has too many fragments', offset);
        wanted = 1 + 2 * count;
      }
      line = '';
    }
  }
  return { runs: runsFromNumbers(numbers.slice(1), offset), mapBytes };
}
