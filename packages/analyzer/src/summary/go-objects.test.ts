import { buildElf, CODE, DATA } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { fileOffset } from '../elf/elf.js';
import { parseElf } from '../elf/parse-elf.js';
import type { GoCode } from '../function/go-table.js';
import type { PointerSlot } from './data-objects.js';
import { goObjects } from './go-objects.js';

const MODULE = DATA + 64;
const LINKS = DATA + 0x240;
const TABLES = DATA + 0x260;
const TYPES = DATA + 0x300;
const STRUCT = TYPES + 0x40;
const INTERFACE = TYPES + 0x100;
const METHOD_TYPE = TYPES + 0x180;
const NAMES = TYPES + 0x200;
const TABLE = TYPES + 0x280;
const VALUE = TYPES + 0x2c0;
const END = TYPES + 0x300;
const names = ['main.main', 'main.T.Wanted', 'main.T.Exported', 'main.T.hidden'];
const [, WANTED = 0, EXPORTED = 0, HIDDEN = 0] = names.map((_, i) => CODE + i * 16);

/** A program with a struct type of three methods, an interface that asks for one of them, and a function value. */
function program(change: (word: (at: number, value: number) => void) => void = () => {}) {
  const data = new Uint8Array(0x700);
  const view = new DataView(data.buffer);
  const word = (at: number, value: number): void => view.setBigUint64(at - DATA, BigInt(value), true);
  const half = (at: number, value: number): void => view.setInt32(at - DATA, value, true);
  const module: Record<number, number> = { 0: DATA, 20: CODE, 21: CODE + 64, 22: CODE, 23: CODE + 64 };
  Object.assign(module, { 24: MODULE, 25: LINKS, 37: TYPES, 38: END, 42: 1, 43: 1 });
  Object.assign(module, { 44: LINKS, 45: 1, 46: 1, 47: TABLES, 48: 1, 49: 1 });
  for (const [index, value] of Object.entries(module)) word(MODULE + Number(index) * 8, value);
  half(LINKS, STRUCT - TYPES);
  word(TABLES, TABLE);
  const name = (at: number, text: string, isExported: boolean): number => {
    data.set([isExported ? 1 : 0, text.length, ...new TextEncoder().encode(text)], at - DATA);
    return at - TYPES;
  };
  const type = (at: number, kind: number, flags: number): void => {
    word(at, 8);
    data.set([flags, 8, 8, kind], at + 20 - DATA);
    half(at + 40, NAMES - TYPES);
  };
  const wanted = name(NAMES + 16, 'Wanted', true);
  type(STRUCT, 25, 1);
  half(STRUCT + 80 + 4, 3 | (2 << 16));
  half(STRUCT + 80 + 8, 16);
  const methods = [wanted, name(NAMES + 32, 'Exported', true), name(NAMES + 48, 'hidden', false)];
  methods.forEach((offset, i) => {
    const at = STRUCT + 96 + i * 16;
    half(at, offset);
    half(at + 4, METHOD_TYPE - TYPES);
    half(at + 8, (i + 1) * 16);
    half(at + 12, i === 1 ? -1 : (i + 1) * 16);
  });
  type(INTERFACE, 20, 0);
  word(INTERFACE + 56, INTERFACE + 80);
  word(INTERFACE + 64, 1);
  half(INTERFACE + 80, wanted);
  half(INTERFACE + 84, METHOD_TYPE - TYPES);
  type(METHOD_TYPE, 19, 0);
  word(TABLE, INTERFACE);
  word(TABLE + 8, STRUCT);
  word(TABLE + 24, WANTED);
  word(VALUE, HIDDEN);
  change(word);
  const elf = parseElf(buildElf({ executable: true, code: new Uint8Array(64).fill(0xc3), data }));
  const slots = new Map<number, PointerSlot>();
  for (let address = DATA; address < DATA + data.length; address += 8) {
    const target = elf.view.u64(fileOffset(elf, address, 8));
    if (target >= CODE && target < DATA + data.length) {
      slots.set(address, { address, kind: 'address', target, symbol: 0, alone: false });
    }
  }
  return (functions: readonly string[] = names) => {
    const go: GoCode = {
      functions: functions.map((each, i) => ({
        name: each,
        start: CODE + i * 16,
        end: CODE + i * 16 + 16,
        argumentBytes: 0,
      })),
      table: { start: DATA, end: DATA + 64 },
      layout: '1.20',
    };
    return goObjects(elf, go, slots, new Set([VALUE]));
  };
}

const linksOf = (objects: ReturnType<typeof goObjects>, from: number): number[] =>
  (objects?.links ?? []).filter((link) => link[0] === from).map(([, to]) => to);

/** As of `*[0xFFFFFFFFFFFF]byte` in go.etcd.io/bbolt: such types are made to be cut. */
const HUGE = 2 ** 48 - 1;

describe("a live type's company", () => {
  it('is found beside types larger than the address space', () => {
    expect(program((word) => word(METHOD_TYPE, HUGE))()?.owned).toContain(METHOD_TYPE);
  });

  it('is its interface tables and the methods that an interface asks for', () => {
    const objects = program()();
    const links = linksOf(objects, STRUCT);
    expect(links).toEqual(expect.arrayContaining([TABLE, WANTED, METHOD_TYPE]));
    expect(links).not.toContain(EXPORTED);
    expect(links).not.toContain(HIDDEN);
  });

  it('is all exported methods, where methods are found by reflection', () => {
    const links = linksOf(program()([...names, 'reflect.Value.Method']), STRUCT);
    expect(links).toEqual(expect.arrayContaining([WANTED, EXPORTED]));
    expect(links).not.toContain(HIDDEN);
  });
});

describe('objects of their own', () => {
  it('are types, interface tables and function values', () => {
    const objects = program()();
    expect([...(objects?.owned ?? [])].sort((a, b) => a - b)).toEqual([
      STRUCT,
      INTERFACE,
      METHOD_TYPE,
      TABLE,
      VALUE,
    ]);
    expect(objects?.bounds).toEqual(expect.arrayContaining([TABLE, TABLE + 32, VALUE, VALUE + 8]));
  });

  it('leave out words that only look like addresses of functions', () => {
    const objects = program()();
    const at = (address: number): PointerSlot => ({
      address,
      kind: 'address',
      target: HIDDEN,
      symbol: 0,
      alone: false,
    });
    expect(objects?.isIdle(at(VALUE), 'main.T.hidden')).toBe(false);
    expect(objects?.isIdle(at(TABLE + 24), 'main.T.Wanted')).toBe(false);
    expect(objects?.isIdle(at(VALUE + 16), 'main.T.hidden')).toBe(true);
    expect(objects?.isIdle(at(VALUE + 16), 'main.init.0')).toBe(false);
    expect(objects?.isIdle(at(VALUE + 16), undefined)).toBe(false);
    // The list of all interface tables.
    expect(objects?.isIdle(at(TABLES), undefined)).toBe(true);
  });
});

describe('tables that do not hold together', () => {
  it.each<[string, (word: (at: number, value: number) => void) => void]>([
    ['text elsewhere', (word) => word(MODULE + 20 * 8, CODE + 16)],
    ['text in two sections', (word) => (word(MODULE + 42 * 8, 2), word(MODULE + 43 * 8, 2))],
    ['a link to what is no type', (word) => word(LINKS, 0x8)],
    ['an interface table without a type', (word) => word(TABLE + 8, 0)],
    ['an interface table of no interface', (word) => word(TABLE, STRUCT)],
    [
      'a struct with more fields than any has',
      (word) => (word(STRUCT + 56, VALUE), word(STRUCT + 64, 2 ** 40)),
    ],
    ['no module at all', (word) => word(MODULE, 0)],
  ])('are not believed: %s', (_, change) => {
    expect(program(change)()).toBeUndefined();
  });
});
