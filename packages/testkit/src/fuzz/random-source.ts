/** Numbers that look random and depend on a seed alone. */
export interface RandomSource {
  /** A whole number from 0 to one less than `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Marsaglia's xorshift ("Xorshift RNGs", 2003) with 32 bits of state, begun by mixing the seed. */
export function randomSource(seed: number): RandomSource {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 8; i++) next();
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}
