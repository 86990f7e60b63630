import { ProfGenError } from '@prof-gen/core';
import { buildElf, CODE, DATA } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { decodeSummary, encodeSummary } from '../summary/encode-summary.js';
import { summarize } from '../summary/summarize.js';
import { loaderFacts } from './loader-facts.js';
import { parseElf } from './parse-elf.js';

const whole = buildElf({
  entry: CODE,
  code: Uint8Array.from([
    0xb8, 60, 0, 0, 0, 0x0f, 0x05, 0xc3, 0xff, 0x25, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3,
  ]),
  data: new Uint8Array(64),
  interpreter: '/lib64/ld-linux-x86-64.so.2',
  soname: 'libx.so.1',
  needed: ['libc.so.6', 'liby.so'],
  runpath: '$ORIGIN/../lib:/opt/lib',
  rpath: '/old',
  flags1: 0x0800_0800,
  symbols: [
    { name: 'start', address: CODE },
    { name: 'wanted', weak: true },
    { name: 'table', address: DATA, size: 64, kind: 'object' },
  ],
  relocations: [
    { offset: DATA, type: 8, addend: CODE },
    { offset: DATA + 8, type: 6, symbol: 1 },
  ],
});

function codeOf(bytes: Uint8Array): string {
  try {
    parseElf(bytes);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ProfGenError)) throw error;
    return error.code;
  }
}

function changed(change: (view: DataView) => void): Uint8Array {
  const copy = whole.slice();
  change(new DataView(copy.buffer));
  return copy;
}

describe('loaderFacts', () => {
  it('are those of the summary, which stands in for the file', () => {
    const facts = loaderFacts(whole);
    expect(facts?.needed).toEqual(['libc.so.6', 'liby.so']);
    expect(decodeSummary(encodeSummary(summarize(whole)))).toMatchObject(facts ?? {});
  });
});

describe('parseElf', () => {
  it('reads what the loader needs', () => {
    const elf = parseElf(whole);
    expect(elf).toMatchObject({
      type: 'shared',
      pie: true,
      static: false,
      interpreter: '/lib64/ld-linux-x86-64.so.2',
      soname: 'libx.so.1',
      needed: ['libc.so.6', 'liby.so'],
      runpath: ['$ORIGIN/../lib', '/opt/lib'],
      rpath: ['/old'],
      flags: { noDefaultLibraries: true, pie: true, symbolic: false },
    });
    expect(elf.symbols.map(({ name, defined, binding }) => [name, defined, binding])).toEqual([
      ['', false, 'local'],
      ['start', true, 'global'],
      ['wanted', false, 'weak'],
      ['table', true, 'global'],
    ]);
    expect([...elf.relocations.offset]).toEqual([DATA, DATA + 8]);
  });

  it.each([
    ['nothing', new Uint8Array(), 'elf/not-elf'],
    ['a script', new TextEncoder().encode('#!/bin/sh\n'), 'elf/not-elf'],
    ['only the magic', whole.slice(0, 4), 'elf/truncated'],
    ['half a header', whole.slice(0, 40), 'elf/truncated'],
    ['cut in a segment', whole.slice(0, whole.length - 60), 'elf/truncated'],
    ['another machine', changed((v) => v.setUint16(18, 183, true)), 'elf/unsupported-machine'],
    ['32 bits', changed((v) => v.setUint8(4, 1)), 'elf/unsupported-machine'],
    ['big-endian', changed((v) => v.setUint8(5, 2)), 'elf/unsupported-machine'],
    ['an object file', changed((v) => v.setUint16(16, 1, true)), 'elf/unsupported-type'],
    ['no program headers', changed((v) => v.setUint16(56, 0, true)), 'elf/bad-header'],
    ['65535 program headers', changed((v) => v.setUint16(56, 65_535, true)), 'elf/bad-header'],
    ['headers past the end', changed((v) => v.setBigUint64(32, 1n << 40n, true)), 'elf/truncated'],
    ['a segment past the end', changed((v) => v.setBigUint64(64 + 32, 1n << 62n, true)), 'elf/truncated'],
    ['a segment in kernel space', changed((v) => v.setBigUint64(64 + 16, 1n << 63n, true)), 'elf/bad-header'],
    ['a segment larger in the file', changed((v) => v.setBigUint64(64 + 40, 1n, true)), 'elf/bad-header'],
  ])('refuses %s with a code', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('says where in the file the trouble is', () => {
    expect(() => parseElf(whole.slice(0, 40))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ offset: 0, fileSize: 40 }) }),
    );
  });

  it('ends in a summary or an error of its own for every prefix and 300 mutations', () => {
    // A linear congruential generator (Numerical Recipes): the same mutations every time.
    let seed = 20_261_123;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const inputs: Uint8Array[] = [];
    for (let length = 0; length < whole.length; length += 7) inputs.push(whole.slice(0, length));
    const interesting = [0, 1, 0x7f, 0x80, 0xff];
    for (let i = 0; i < 300; i++) {
      const copy = whole.slice();
      for (let change = random(6); change >= 0; change--) {
        const at = random(i % 2 === 0 ? 400 : copy.length);
        const byte = random(2) === 0 ? random(256) : (interesting[random(interesting.length)] ?? 0);
        const run = random(4) === 0 ? 8 : 1;
        copy.fill(byte, at, at + run);
      }
      inputs.push(copy);
    }
    let accepted = 0;
    for (const input of inputs) {
      const started = performance.now();
      try {
        summarize(input);
        accepted++;
      } catch (error) {
        expect(error).toBeInstanceOf(ProfGenError);
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }
    expect(inputs.length).toBeGreaterThan(400);
    expect(accepted).toBeGreaterThan(10);
  });
});
