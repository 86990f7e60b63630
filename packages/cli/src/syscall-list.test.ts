import { ProfGenError } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { parseSyscalls } from './syscall-list.js';

describe('parseSyscalls', () => {
  it('takes names and numbers, with commas between them', () => {
    expect(parseSyscalls('openat, 101,read,')).toEqual([257, 101, 0]);
  });

  it.each([
    ['opnat', 'did you mean openat'],
    ['socked', 'did you mean socket'],
    ['9999', 'use the names of syscalls(2)'],
    ['no such thing at all', 'use the names of syscalls(2)'],
  ])('refuses %s with a hint', (word, hint) => {
    let error: unknown;
    try {
      parseSyscalls(word);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ProfGenError);
    expect(error).toMatchObject({ code: 'usage/syscall', hint: expect.stringContaining(hint) });
  });
});
