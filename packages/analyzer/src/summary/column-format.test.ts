import { describe, expect, it } from 'vitest';
import { decodeColumns, encodeColumns } from './column-format.js';

describe('column format', () => {
  it.each([
    ['nothing', null],
    ['numbers', [0, -1, 1, 2 ** 40, -(2 ** 45), 0.5, -0, Number.MAX_SAFE_INTEGER, Number.NaN]],
    ['addresses', [0x7fff_0000_1000, 0x7fff_0000_1008, 0x7fff_0000_1010]],
    ['falling and rising numbers', [100_000, 5, 99_999, 4, 0]],
    ['texts', ['read', 'readv', 'readlink', '', 'read', 'ÿþ', 'a\0b\x01\x02c']],
    ['texts beyond one byte a character', ['größe', '日本語', '\u{1f40c}']],
    ['one empty text', ['']],
    ['truth', [true, false, true]],
    ['lists of lists', [[1, 2], [], [3], [[]], [null]]],
    ['records with optional fields', [{ a: 1, b: 'x' }, { a: 2 }, { b: 'y', c: { d: [true] } }, {}]],
    ['a mixture', [1, 'one', null, { one: 1 }, [1], true]],
    [
      'typed columns',
      { bytes: Uint8Array.of(1, 255, 0), words: Uint32Array.of(0, 0xffffffff, 7), none: new Uint32Array() },
    ],
  ])('keeps %s', (_, value) => {
    expect(decodeColumns(encodeColumns(value))).toEqual(value);
  });

  it('gives equal bytes for equal values, and leaves undefined fields out', () => {
    expect(encodeColumns([{ a: 1, b: undefined }, { a: 2 }])).toEqual(encodeColumns([{ a: 1 }, { a: 2 }]));
    expect(decodeColumns(encodeColumns({ a: undefined }))).toEqual({});
  });

  it('refuses what is not data', () => {
    expect(() => encodeColumns({ f: () => 1 })).toThrow(TypeError);
  });

  it('refuses every beginning of what it wrote, and answers damage without filling the memory', () => {
    const value = {
      names: ['one', 'only', 'open'],
      rows: [{ at: 1, of: [1, 2] }, { at: 900 }],
      n: Uint32Array.of(9),
    };
    const bytes = encodeColumns(value);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeColumns(bytes.subarray(0, length))).toThrow(RangeError);
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        const damaged = bytes.slice();
        damaged[at] = byte;
        try {
          decodeColumns(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }
  });
});
