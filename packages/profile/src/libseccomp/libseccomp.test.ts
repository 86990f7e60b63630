import { describe, expect, it } from 'vitest';
import { libseccompNames } from './libseccomp.js';

describe('libseccompNames', () => {
  it.each([
    ['2.4.0', 440],
    ['2.5.3', 448],
    ['2.5.4-1+deb12u1', 450],
    ['2.5.9', 456],
    ['2.6.0', 466],
    ['3.0', 466],
  ])('%s has names up to %i', (version, highest) => {
    const names = libseccompNames(version);
    expect(names.highest).toBe(highest);
    expect(names.knows(highest)).toBe(true);
    expect(names.knows(highest + 1)).toBe(false);
  });

  it('lacks the two calls that were given numbers late', () => {
    expect([334, 335, 336].map(libseccompNames('2.5.4').knows)).toEqual([true, false, false]);
    expect(libseccompNames('2.6.0').knows(335)).toBe(true);
  });
});
