import type { Distribution } from '@prof-gen/core';

/** Samples drawn for an interval. */
const resamples = 2_000;
const seed = 0x5eed;

/** Numbers from 0 up to 1 that are equal for equal seeds: mulberry32, by Tommy Ettinger (public domain). */
function randomNumbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param sorted ascending, not empty. Between two values it is interpolated (type 7 of Hyndman and Fan, 1996) */
function quantile(sorted: Float64Array, part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * Mean, median, quartiles and the 95% percentile-bootstrap interval of the mean (Efron, 1979). Equal values give equal
 * results, in any order; without a value everything is 0.
 */
export function distribution(values: readonly number[]): Distribution {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  if (count === 0) {
    return {
      count,
      mean: 0,
      median: 0,
      lowerQuartile: 0,
      upperQuartile: 0,
      minimum: 0,
      maximum: 0,
      interval: { from: 0, to: 0 },
    };
  }
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const random = randomNumbers(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += sorted[Math.floor(random() * count)] ?? 0;
    return sum / count;
  }).sort();
  return {
    count,
    mean,
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    minimum: sorted[0] ?? 0,
    maximum: sorted[count - 1] ?? 0,
    interval: { from: quantile(means, 0.025), to: quantile(means, 0.975) },
  };
}
