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

  it('looks through the whole file where the data has no size', () => {
    const file = buildElf({
      code: Uint8Array.of(RET),
      data: new TextEncoder().encode('\0\0uv_listen\0'),
      symbols: [symbol(0)],
    });
    expect(juliaImage(parseElf(file))?.names).toContain('uv_listen');
  });

  it('is silent about all other files', () => {
    expect(juliaImage(parseElf(buildElf({ code: Uint8Array.of(RET), symbols: [] })))).toBeUndefined();
  });

  it('makes each function live, and its names asked for', () => {
    const data = new TextEncoder().encode('uv_listen\0');
    const file = buildElf({
      code: Uint8Array.of(RET, RET),
      data,
      symbols: [
        symbol(data.length),
        { name: 'first', address: CODE, size: 1 },
        { name: 'last', address: CODE + 1, size: 1 },
      ],
    });
    const graph = fileGraph(parseElf(file));
    expect([...graph.initialReasons.values()]).toEqual(['julia', 'julia']);
    expect(graph.lookups).toEqual([{ node: 0, name: 'uv_listen' }]);
  });

  it('asks for nothing where there is no function', () => {
    expect(fileGraph(parseElf(image('uv_listen', 0))).lookups).toEqual([]);
  });
});
