import { describe, expect, it } from 'vitest';
import { buildElf, CODE } from '../elf-builder.js';
import { mutateElf } from './mutate-elf.js';

const intact = buildElf({
  entry: CODE,
  code: Uint8Array.of(0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3),
  soname: 'libx.so',
  symbols: [{ name: 'f', address: CODE }],
});

describe('mutateElf', () => {
  it('gives equal bytes for equal seeds, and others for others', () => {
    const copies = Array.from({ length: 200 }, (_, seed) =>
      Buffer.from(mutateElf(intact, seed)).toString('hex'),
    );
    expect(copies[7]).toBe(Buffer.from(mutateElf(intact, 7)).toString('hex'));
    expect(new Set(copies).size).toBeGreaterThan(150);
  });

  it('changes headers, tables and code, and leaves the original alone', () => {
    const before = Buffer.from(intact).toString('hex');
    const touched = new Set<number>();
    for (let seed = 0; seed < 500; seed++) {
      mutateElf(intact, seed).forEach((byte, i) => {
        if (byte !== intact[i]) touched.add(i);
      });
    }
    expect(Buffer.from(intact).toString('hex')).toBe(before);
    // The magic number, a program header and the code.
    expect([...touched].some((at) => at < 16)).toBe(true);
    expect([...touched].some((at) => at >= 64 && at < 120)).toBe(true);
    expect(touched.size).toBeGreaterThan(intact.length / 3);
  });
});
