import { ProfGenError } from '@prof-gen/core/base';
import type { ByteView } from './byte-view.js';
import { type DynamicFlags, type Segment, segmentType } from './elf.js';

/** What the dynamic section says, with addresses still as addresses. */
export interface Dynamic {
  readonly soname?: string;
  readonly needed: readonly string[];
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  readonly flags: DynamicFlags;
  readonly init: readonly number[];
  readonly initArrays: readonly { readonly address: number; readonly size: number }[];
  /** Raw values by tag, the last of each. */
  readonly values: ReadonlyMap<number, number>;
}

/** More entries than this are a forgery: libraries have some thirty. */
const MAX_ENTRIES = 65_536;
const MAX_NEEDED = 4096;

export const dynamicTag = {
  needed: 1,
  pltRelSize: 2,
  pltGot: 3,
  hash: 4,
  strtab: 5,
  symtab: 6,
  rela: 7,
  relaSize: 8,
  strSize: 10,
  init: 12,
  fini: 13,
  soname: 14,
  rpath: 15,
  symbolic: 16,
  rel: 17,
  relSize: 18,
  pltRel: 20,
  jmpRel: 23,
  bindNow: 24,
  initArray: 25,
  finiArray: 26,
  initArraySize: 27,
  finiArraySize: 28,
  runpath: 29,
  flags: 30,
  preinitArray: 32,
  preinitArraySize: 33,
  relrSize: 35,
  relr: 36,
  gnuHash: 0x6ffffef5,
  versym: 0x6ffffff0,
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
  verdefCount: 0x6ffffffd,
  verneed: 0x6ffffffe,
  verneedCount: 0x6fffffff,
};

/** File offset of `size` loaded bytes at an address of a not yet finished file, or -1. */
export function offsetIn(segments: readonly Segment[], address: number, size = 1): number {
  for (const segment of segments) {
    if (segment.type !== segmentType.load) continue;
    const delta = address - segment.address;
    if (delta >= 0 && delta + size <= segment.fileSize) return segment.offset + delta;
  }
  return -1;
}

export function dynamicOf(view: ByteView, segments: readonly Segment[]): Dynamic {
  const segment = segments.find((s) => s.type === segmentType.dynamic);
  const values = new Map<number, number>();
  const lists = { needed: [] as number[], rpath: [] as number[], runpath: [] as number[] };
  if (segment) {
    // Loaders find it by its address; what is not loaded may still be read where the header says.
    const loaded = offsetIn(segments, segment.address, segment.fileSize);
    const start = loaded < 0 ? segment.offset : loaded;
    view.need(start, segment.fileSize, 'The dynamic section');
    const count = Math.floor(segment.fileSize / 16);
    for (let i = 0; i < count; i++) {
      if (i >= MAX_ENTRIES) {
        throw new ProfGenError('elf/too-complex', 'The dynamic section has too many entries', {
          details: { offset: segment.offset },
        });
      }
      const tag = view.u64(start + i * 16);
      const value = view.u64(start + i * 16 + 8);
      if (tag === 0) break;
      values.set(tag, value);
      if (tag === dynamicTag.needed) lists.needed.push(value);
      if (tag === dynamicTag.rpath) lists.rpath.push(value);
      if (tag === dynamicTag.runpath) lists.runpath.push(value);
    }
  }
  if (lists.needed.length > MAX_NEEDED) {
    throw new ProfGenError('elf/too-complex', `The file needs ${lists.needed.length} libraries`, {
      details: { offset: segment?.offset ?? 0 },
    });
  }
  const strtab = values.get(dynamicTag.strtab);
  const text = (index: number): string => {
    const at = strtab === undefined ? -1 : offsetIn(segments, strtab + index);
    if (at < 0) {
      throw new ProfGenError('elf/bad-header', 'A name of the dynamic section lies outside the file', {
        details: { offset: segment?.offset ?? 0, index },
      });
    }
    return view.string(at);
  };
  const directories = (indexes: readonly number[]): string[] =>
    indexes.flatMap((index) => text(index).split(':')).filter((directory) => directory !== '');
  const flags = values.get(dynamicTag.flags) ?? 0;
  const flags1 = values.get(dynamicTag.flags1) ?? 0;
  const array = (address: number, size: number) => {
    const start = values.get(address);
    const length = values.get(size);
    if (start === undefined || !length || !(start + length <= 2 ** 47)) return [];
    return [{ address: start, size: length }];
  };
  const soname = values.get(dynamicTag.soname);
  return {
    ...(soname === undefined ? {} : { soname: text(soname) }),
    needed: lists.needed.map(text),
    rpath: directories(lists.rpath),
    runpath: directories(lists.runpath),
    flags: {
      symbolic: values.has(dynamicTag.symbolic) || bit(flags, 1),
      bindNow: values.has(dynamicTag.bindNow) || bit(flags, 3) || bit(flags1, 0),
      noDefaultLibraries: bit(flags1, 11),
      pie: bit(flags1, 27),
      noDelete: bit(flags1, 3),
    },
    init: [dynamicTag.init, dynamicTag.fini]
      .map((tag) => values.get(tag) ?? 0)
      .filter((address) => address !== 0),
    initArrays: [
      ...array(dynamicTag.preinitArray, dynamicTag.preinitArraySize),
      ...array(dynamicTag.initArray, dynamicTag.initArraySize),
      ...array(dynamicTag.finiArray, dynamicTag.finiArraySize),
    ],
    values,
  };
}

function bit(value: number, index: number): boolean {
  return Math.floor(value / 2 ** index) % 2 === 1;
}
