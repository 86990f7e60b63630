import { describe, expect, it } from 'vitest';
import { defaultMirror, sourcesName, sourcesOf } from './suites.js';

describe('sourcesOf', () => {
  it("has a suite's updates, and its backports when they are wanted", () => {
    expect(sourcesOf('trixie', true, defaultMirror).trim().split('\n')).toEqual([
      'deb http://deb.debian.org/debian trixie main',
      'deb http://deb.debian.org/debian trixie-updates main',
      'deb http://deb.debian.org/debian-security trixie-security main',
      'deb http://deb.debian.org/debian trixie-backports main',
    ]);
    expect(sourcesOf('sid', true, 'http://m/{archive}')).toBe('deb http://m/debian sid main\n');
  });

  it('keeps other sources apart', () => {
    const names = [true, false].map((backports) =>
      sourcesName('bookworm', sourcesOf('bookworm', backports, defaultMirror)),
    );
    expect(new Set(names).size).toBe(2);
  });
});
