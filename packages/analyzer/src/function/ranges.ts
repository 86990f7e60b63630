/**
 * Sets of numbers as sorted, disjoint, closed ranges: first, last, first, last, … Of a value cut to 32 bits or fewer
 * they hold it unsigned; of a whole 64-bit value, signed, so that both ends may be infinite.
 */
export type Ranges = readonly number[];

/** Beyond this many a set of ranges says little. */
const MAX_RANGES = 16;

export const everything: Ranges = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export function intersect(a: Ranges, b: Ranges): Ranges {
  const result: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [aLast, bLast] = [a[i + 1] ?? 0, b[j + 1] ?? 0];
    const first = Math.max(a[i] ?? 0, b[j] ?? 0);
    const last = Math.min(aLast, bLast);
    if (first <= last) result.push(first, last);
    if (aLast < bLast) i += 2;
    else j += 2;
  }
  return result;
}

/** Everything that is in either; more ranges than are kept become `everything`. */
export function unite(a: Ranges, b: Ranges): Ranges {
  const parts: [number, number][] = [];
  for (const ranges of [a, b]) {
    for (let i = 0; i < ranges.length; i += 2) parts.push([ranges[i] ?? 0, ranges[i + 1] ?? 0]);
  }
  parts.sort((x, y) => x[0] - y[0]);
  const result: number[] = [];
  for (const [first, last] of parts) {
    const end = result.length - 1;
    if (end > 0 && first <= (result[end] ?? 0) + 1) result[end] = Math.max(result[end] ?? 0, last);
    else result.push(first, last);
  }
  return result.length > MAX_RANGES * 2 ? everything : result;
}

export function complement(a: Ranges): Ranges {
  const result: number[] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < a.length; i += 2) {
    const [first, last] = [a[i] ?? 0, a[i + 1] ?? 0];
    if (first > from) result.push(from, first - 1);
    from = last + 1;
  }
  if (from < Number.POSITIVE_INFINITY) result.push(from, Number.POSITIVE_INFINITY);
  return result;
}

export function includes(ranges: Ranges, value: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (value >= (ranges[i] ?? 0) && value <= (ranges[i + 1] ?? 0)) return true;
  }
  return false;
}

export function sameRanges(a: Ranges, b: Ranges): boolean {
  return a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
}

/** The members less `k`, for values that wrap around below `modulus` (a power of two), or not at all. */
export function shift(ranges: Ranges, k: number, modulus: number | undefined): Ranges {
  if (k === 0) return ranges;
  const moved = ranges.map((bound) => bound - k);
  if (modulus === undefined) return moved;
  let result: Ranges = [];
  const whole = [0, modulus - 1];
  // A constant has at most 2^39: a few turns of 2^32, many of 256; the remainder is what counts.
  const remainder = ((k % modulus) + modulus) % modulus;
  const once = intersect(ranges, whole).map((bound) => bound - remainder);
  for (const turn of [0, modulus])
    result = unite(
      result,
      intersect(
        once.map((b) => b + turn),
        whole,
      ),
    );
  return result;
}
