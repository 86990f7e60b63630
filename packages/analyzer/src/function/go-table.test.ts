import { buildElf, CODE, DATA } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../elf/parse-elf.js';
import { goCode } from './go-table.js';

type Version = '1.2' | '1.16' | '1.18' | '1.20';

const magics = { '1.2': 0xfffffffb, '1.16': 0xfffffffa, '1.18': 0xfffffff0, '1.20': 0xfffffff1 };
const NAMES = 96;
const FUNCTIONS = 160;

/** A table of two functions, of 16 and 32 bytes, as the linker of that version writes it. */
function table(version: Version, wrapper = 'runtime/internal/syscall.Syscall6'): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  view.setUint32(0, magics[version], true);
  view.setUint8(6, 1);
  view.setUint8(7, 8);
  word(8, 2);
  bytes.set(new TextEncoder().encode(`main.main\0${wrapper}\0`), NAMES);
  const isOffset = version === '1.18' || version === '1.20';
  // Functions' entries count from the text's start since 1.18, and from the image's start before.
  const base = isOffset ? 0 : CODE;
  const width = isOffset ? 4 : 8;
  const put = (at: number, value: number): void =>
    isOffset ? view.setUint32(at, value, true) : word(at, value);
  let first = FUNCTIONS;
  if (isOffset) {
    word(24, CODE);
    word(32, NAMES);
    word(64, FUNCTIONS);
  } else if (version === '1.16') {
    word(24, NAMES);
    word(56, FUNCTIONS);
  } else first = 16;
  const details = [64, 128].map((offset) => (version === '1.2' ? 256 + offset : offset));
  const from = version === '1.2' ? 0 : FUNCTIONS;
  const starts = [0, 16, 48];
  starts.forEach((start, i) => {
    put(first + i * 2 * width, base + start);
    const detail = details[i];
    if (detail === undefined) return;
    put(first + (i * 2 + 1) * width, detail);
    put(from + detail, base + start);
    const name = [0, 10][i] ?? 0;
    view.setInt32(from + detail + width, version === '1.2' ? NAMES + name : name, true);
    view.setInt32(from + detail + width + 4, [24, -0x8000_0000][i] ?? 0, true);
  });
  return bytes;
}

const read = (data: Uint8Array) => goCode(parseElf(buildElf({ code: new Uint8Array(64).fill(0xc3), data })));

describe('the function table', () => {
  it.each<Version>(['1.2', '1.16', '1.18', '1.20'])(
    'of Go %s is read, without section headers',
    (version) => {
      const go = read(table(version));
      expect(go?.functions).toEqual([
        { name: 'main.main', start: CODE, end: CODE + 16, argumentBytes: 24 },
        {
          name: 'runtime/internal/syscall.Syscall6',
          start: CODE + 16,
          end: CODE + 48,
          // Assembly: the table does not say it.
          argumentBytes: 80,
        },
      ]);
      expect(go?.table?.start).toBe(DATA);
      expect(go?.layout).toBe(version === '1.18' || version === '1.20' ? version : undefined);
    },
  );

  it('of Go 1.26 counts from where runtime.moduledata has the text, after code of C', () => {
    const data = new Uint8Array(1024);
    const view = new DataView(data.buffer);
    data.set(table('1.20', 'internal/runtime/syscall/linux.Syscall6'));
    view.setBigUint64(24, 0n, true);
    view.setBigUint64(512, BigInt(DATA), true);
    view.setBigUint64(512 + 22 * 8, BigInt(CODE + 16), true);
    expect(read(data)?.functions).toEqual([
      { name: 'main.main', start: CODE + 16, end: CODE + 32, argumentBytes: 24 },
      {
        name: 'internal/runtime/syscall/linux.Syscall6',
        start: CODE + 32,
        end: CODE + 64,
        argumentBytes: 80,
      },
    ]);
  });

  it('is found where other data comes before it', () => {
    const data = new Uint8Array(1024);
    data.set(table('1.20'), 64);
    expect(read(data)?.functions.length).toBe(2);
  });

  it.each([
    ['another magic number', 0, 0xf2],
    ['another quantum', 6, 4],
    ['more functions than there is room for', 9, 0xff],
    ['functions outside the code', 26, 0xff],
  ])('is no table with %s', (_, at, value) => {
    const data = table('1.20');
    data[at] = value;
    expect(read(data)).toBeUndefined();
  });

  it('is missing in a file that has build information: no function is known', () => {
    const data = new Uint8Array(128);
    data.set([0xff, ...new TextEncoder().encode(' Go buildinf:')]);
    expect(read(data)).toEqual({ functions: [], table: undefined, layout: undefined });
  });
});
