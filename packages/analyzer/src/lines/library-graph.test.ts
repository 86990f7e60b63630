import { buildElf, CODE, DATA } from '@prof-gen/testkit';
import { expect, it } from 'vitest';
import { summarizeWithDetail } from '../summary/summarize.js';
import { libraryGraph } from './library-graph.js';

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

it('says who calls whom and whose address is taken, and does not look into tables', () => {
  // Functions of 16 bytes: `caller` calls +0x10; `taker` takes the address of +0x10; `table` refers to a word of data that
  // points to +0x10; +0x10 itself makes call 39.
  const code = new Uint8Array(0x50).fill(0xcc);
  const put = (at: number, text: string) => code.set(bytes(text), at);
  put(0x00, 'e80b000000 c3');
  put(0x10, 'b827000000 0f05 c3');
  put(0x20, '488d05e9ffffff c3');
  const toData = (DATA - (CODE + 0x37)) >>> 0;
  const displacement = [0, 8, 16, 24].map((shift) =>
    ((toData >>> shift) & 0xff).toString(16).padStart(2, '0'),
  );
  put(0x30, `488d05${displacement.join('')} ff10 c3`);
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(CODE + 0x10), true);
  const named = (name: string, at: number) => ({
    name,
    address: CODE + at,
    size: 10,
    kind: 'function' as const,
  });
  const elf = buildElf({
    code,
    data,
    soname: 'libc.so.6',
    symbols: [named('caller', 0), named('taker', 0x20), named('table', 0x30)],
    relocations: [{ offset: DATA, type: 8, addend: CODE + 0x10 }],
  });
  const graph = libraryGraph(summarizeWithDetail(elf).detail);
  const of = (name: string) => graph.find(({ exports }) => exports.includes(name));
  const makes = (positions: readonly number[] | undefined) => positions?.map((i) => graph[i]?.syscalls);
  expect(makes(of('caller')?.calls)).toEqual([[39]]);
  expect(makes(of('taker')?.takes)).toEqual([[39]]);
  expect(of('taker')?.calls).toEqual([]);
  expect(of('table')).toMatchObject({ calls: [], takes: [], syscalls: [] });
});
