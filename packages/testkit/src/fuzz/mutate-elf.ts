import { randomSource, type RandomSource } from './random-source.js';

/** A stretch of a file that a mutation may change. */
interface Region {
  readonly offset: number;
  readonly size: number;
  /** Bytes of one entry; a mutation takes one of its fields. */
  readonly entry: number;
}

type Regions = Readonly<Record<string, readonly Region[]>>;

const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PT_GNU_EH_FRAME = 0x6474e550;

/** Dynamic tags whose value is the address of a table, with the size of its entries (gABI, GNU extensions). */
const tables: ReadonlyMap<number, number> = new Map([
  [4, 4], // DT_HASH
  [5, 1], // DT_STRTAB
  [6, 24], // DT_SYMTAB
  [7, 24], // DT_RELA
  [17, 16], // DT_REL
  [23, 24], // DT_JMPREL
  [25, 8], // DT_INIT_ARRAY
  [26, 8], // DT_FINI_ARRAY
  [36, 8], // DT_RELR
  [0x6ffffef5, 4], // DT_GNU_HASH
  [0x6ffffff0, 2], // DT_VERSYM
  [0x6ffffffc, 20], // DT_VERDEF
  [0x6ffffffe, 16], // DT_VERNEED
]);
/** How much of a table is taken for it, bytes: its size is not known everywhere. */
const tableReach = 4096;

/** Where an intact ELF file for x86-64 keeps what a reader believes. */
function regionsOf(file: Uint8Array): Regions {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const word = (at: number): number => (at + 8 <= file.length ? Number(view.getBigUint64(at, true)) : 0);
  const half = (at: number): number => (at + 2 <= file.length ? view.getUint16(at, true) : 0);
  const clip = (offset: number, size: number, entry: number): Region[] => {
    const end = Math.min(file.length, offset + size);
    return offset >= 0 && offset < end ? [{ offset, size: end - offset, entry }] : [];
  };
  const programHeaders = word(32);
  const segments = Array.from({ length: half(56) }, (_, i) => {
    const at = programHeaders + i * 56;
    if (at + 56 > file.length) return { type: 0, executable: false, offset: 0, address: 0, size: 0 };
    return {
      type: view.getUint32(at, true),
      executable: (view.getUint32(at + 4, true) & 1) !== 0,
      offset: word(at + 8),
      address: word(at + 16),
      size: word(at + 32),
    };
  });
  const offsetOf = (address: number): number => {
    const segment = segments.find(
      (one) => one.type === 1 && address >= one.address && address < one.address + one.size,
    );
    return segment === undefined ? -1 : address - segment.address + segment.offset;
  };
  const dynamic = segments.filter(({ type }) => type === PT_DYNAMIC);
  const dynamicTables: Region[] = [];
  for (const { offset, size } of dynamic) {
    for (let at = offset; at + 16 <= Math.min(file.length, offset + size); at += 16) {
      const entry = tables.get(word(at));
      if (entry !== undefined) dynamicTables.push(...clip(offsetOf(word(at + 8)), tableReach, entry));
    }
  }
  const unwind = segments.filter(({ type }) => type === PT_GNU_EH_FRAME);
  return {
    header: clip(0, 64, 8),
    segments: clip(programHeaders, half(56) * 56, 56),
    sections: clip(word(40), half(60) * 64, 64),
    dynamic: dynamic.flatMap(({ offset, size }) => clip(offset, size, 16)),
    tables: dynamicTables,
    // .eh_frame follows its table in what linkers lay out.
    unwind: unwind.flatMap(({ offset, size }) => [
      ...clip(offset, size, 8),
      ...clip(offset + size, 16 * tableReach, 4),
    ]),
    notes: segments
      .filter(({ type }) => type === PT_NOTE)
      .flatMap(({ offset, size }) => clip(offset, size, 4)),
    code: segments
      .filter(({ executable }) => executable)
      .flatMap(({ offset, size }) => clip(offset, size, 1)),
    whole: clip(0, file.length, 1),
  };
}

const extremes = [0n, 1n, 0x7fn, 0xffn, 0x7fffffffn, 0xffffffffn, 0x7fffffffffffffffn, 0xffffffffffffffffn];

/** Other bytes at one place of a region. */
function change(file: Uint8Array, region: Region, random: RandomSource): void {
  const view = new DataView(file.buffer);
  const entries = Math.max(1, Math.floor(region.size / region.entry));
  const start = region.offset + random.below(entries) * region.entry;
  const width = random.pick([1, 2, 4, 8]);
  const fields = Math.max(1, Math.floor(region.entry / width));
  const at = start + random.below(fields) * width;
  if (at + width > file.length) return;
  const read = (): bigint => {
    let value = 0n;
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
    return value;
  };
  const write = (value: bigint): void => {
    for (let i = 0; i < width; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  };
  switch (random.below(5)) {
    case 0:
      return write(random.pick(extremes));
    case 1:
      return write(read() + BigInt(random.pick([-1, 1, 8, -8, 4096, -4096])));
    case 2:
      return write(read() ^ (1n << BigInt(random.below(8 * width))));
    case 3:
      return write(BigInt(random.below(2 ** 32)) * BigInt(random.below(2 ** 32)));
    default: {
      // Another entry of the same table: right in shape, wrong in sense.
      const from = region.offset + random.below(entries) * region.entry;
      if (from + region.entry <= file.length && start + region.entry <= file.length)
        file.copyWithin(start, from, from + region.entry);
    }
  }
}

/**
 * A damaged copy of an intact ELF file: one to eight changes where a reader would look, at times cut short as well.
 * Equal seeds give equal bytes.
 * @param seed a whole number
 */
export function mutateElf(intact: Uint8Array, seed: number): Uint8Array {
  const random = randomSource(seed);
  const file = Uint8Array.from(intact);
  const regions = Object.values(regionsOf(intact)).filter((list) => list.length > 0);
  const changes = 1 + random.below(8);
  for (let i = 0; i < changes && regions.length > 0; i++) {
    change(file, random.pick(random.pick(regions)), random);
  }
  return random.below(20) === 0 ? file.slice(0, random.below(file.length + 1)) : file;
}
