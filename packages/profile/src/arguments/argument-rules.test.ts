import type { ArgumentCondition } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import {
  type ArgumentRules,
  bothRules,
  canonicalRules,
  eitherRules,
  expressible,
  rulesHold,
} from './argument-rules.js';

/** Small numbers from a linear congruential generator: the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const operators = ['eq', 'ne', 'lt', 'le', 'ge', 'gt', 'masked-eq'] as const;

function randomRules(next: (below: number) => number): ArgumentCondition[][] | undefined {
  if (next(10) === 0) return undefined;
  return Array.from({ length: 1 + next(3) }, () =>
    Array.from({ length: 1 + next(2) }, (): ArgumentCondition => {
      const op = operators[next(operators.length)] ?? 'eq';
      const base = { index: next(2), op, value: String(next(40)) };
      return op === 'masked-eq' ? { ...base, mask: String(next(40)) } : base;
    }),
  );
}

const points = Array.from({ length: 42 }, (_, first) =>
  [0, 7, 31, 40].map((second) => [BigInt(first), BigInt(second)]),
).flat();

describe('argument rules', () => {
  it('combine as their conditions do', () => {
    const next = numbers(7);
    for (let round = 0; round < 300; round++) {
      const [a, b] = [randomRules(next), randomRules(next)];
      const holding = (rules: ArgumentRules) => points.map((args) => rulesHold(rules, args));
      const [left, right] = [holding(a), holding(b)];
      expect(holding(eitherRules(a, b))).toEqual(left.map((one, at) => one || right[at]));
      expect(holding(bothRules(a, b))).toEqual(left.map((one, at) => one && right[at]));
      expect(holding(canonicalRules(a))).toEqual(left);
    }
  });

  it('have one form, whatever the order', () => {
    const next = numbers(11);
    for (let round = 0; round < 300; round++) {
      const [a, b, c] = [randomRules(next), randomRules(next), randomRules(next)];
      expect(eitherRules(a, b)).toEqual(eitherRules(b, a));
      expect(eitherRules(eitherRules(a, b), c)).toEqual(eitherRules(a, eitherRules(b, c)));
      expect(eitherRules(a, a)).toEqual(canonicalRules(a));
      expect(canonicalRules(canonicalRules(a))).toEqual(canonicalRules(a));
    }
  });

  it('say when seccomp cannot check them, and write a small interval as values', () => {
    const above: ArgumentCondition = { index: 0, op: 'ge', value: '3' };
    const below = (value: string): ArgumentCondition => ({ index: 0, op: 'lt', value });
    expect(bothRules([[above]], [[below('5')]])).toEqual([
      [{ index: 0, op: 'eq', value: '3' }],
      [{ index: 0, op: 'eq', value: '4' }],
    ]);
    expect(expressible(bothRules([[above]], [[below('5')]]))).toBe(true);
    expect(expressible(bothRules([[above]], [[below('5000')]]))).toBe(false);
    expect(bothRules([[above]], [[below('2')]])).toEqual([]);
  });

  it('hold for the last 64-bit value', () => {
    const all = 2n ** 64n - 1n;
    expect(
      rulesHold([[{ index: 5, op: 'gt', value: '18446744073709551614' }]], [0n, 0n, 0n, 0n, 0n, all]),
    ).toBe(true);
  });
});
