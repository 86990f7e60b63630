import { buildElf, CODE, DATA } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../elf/parse-elf.js';
import { fileGraph } from './file-graph.js';
import { juliaImage } from './julia-image.js';

const RET = 0xc3;
const symbol = (size: number) => ({
  name: 'jl_system_image_data',
  kind: 'object' as const,
  address: DATA,
  size,
});
const image = (...parts: readonly (string | number)[]) => {
  const data = Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? part : [...new TextEncoder().encode(part)])),
  );
  return buildElf({ code: Uint8Array.of(RET), data, symbols: [symbol(data.length)] });
};
const namesOf = (...parts: readonly (string | number)[]) => juliaImage(parseElf(image(...parts)))?.names;

describe('juliaImage', () => {
  it('finds names in the table of symbols and in the code of methods', () => {
    expect(namesOf(9, 0, 0, 0, 'uv_listen', 0, 2, 6, 'getpid', 'A', 7)).toEqual(['getpid', 'uv_listen']);
  });

  it('knows lengths that are characters themselves', () => {
    const name = 'a'.repeat(0x41);
    expect(namesOf(1, 'A', name, 'B', 1)).toContain(name);
  });

  it('takes nothing that C cannot be called by', () => {
    expect(namesOf('1st', 0, 'ab', 0, 'größe', 0)).toEqual([]);
  });

  it('is silent about all other files', () => {
    expect(juliaImage(parseElf(buildElf({ code: Uint8Array.of(RET), symbols: [] })))).toBeUndefined();
  });

  it('makes each function live, and its names asked for', () => {
    const graph = fileGraph(parseElf(image('uv_listen', 0)));
    expect(graph.lookups).toEqual([{ node: 0, name: 'uv_listen' }]);
    const other = buildElf({
      code: Uint8Array.of(RET, RET),
      data: Uint8Array.of(0),
      symbols: [
        symbol(1),
        { name: 'first', address: CODE, size: 1 },
        { name: 'last', address: CODE + 1, size: 1 },
      ],
    });
    expect([...fileGraph(parseElf(other)).initialReasons.values()]).toEqual(['julia', 'julia']);
  });
});
