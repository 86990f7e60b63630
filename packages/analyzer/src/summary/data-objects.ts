import { type Elf, fileOffset, relocationType, segmentType } from '../elf/elf.js';
import type { CodeMap } from '../function/code-map.js';
import type { ImageRange } from '../function/scan-function.js';

/** A word of data that holds an address, or will once the loader has relocated it. */
export interface PointerSlot {
  readonly address: number;
  readonly kind: 'address' | 'symbol' | 'resolver' | 'copy';
  /** Where it points, for `address` and `resolver`. */
  readonly target: number;
  /** Index into the dynamic symbols, for `symbol` and `copy`; else 0. */
  readonly symbol: number;
  /** A GOT entry: a word of its own, whatever lies around it. */
  readonly alone: boolean;
}

/**
 * All words of a file that point somewhere, by address.
 * @param metadata addresses of a table whose words are not pointers that code follows
 */
export function pointerSlots(
  elf: Elf,
  code: CodeMap,
  absolute: ImageRange | undefined,
  metadata?: { readonly start: number; readonly end: number },
): PointerSlot[] {
  const slots = new Map<number, PointerSlot>();
  if (absolute) {
    for (const slot of scanWords(elf, code, absolute)) {
      if (metadata && slot.address >= metadata.start && slot.address < metadata.end) continue;
      slots.set(slot.address, slot);
    }
  }
  const { relocations, symbols } = elf;
  for (let i = 0; i < relocations.count; i++) {
    const address = relocations.offset[i] ?? 0;
    const type = relocations.type[i] ?? 0;
    const addend = relocations.addend[i] ?? 0;
    const symbol = relocations.symbol[i] ?? 0;
    const alone =
      type === relocationType.globDat ||
      type === relocationType.jumpSlot ||
      type === relocationType.irelative;
    switch (type) {
      case relocationType.relative:
      case relocationType.relative64:
        slots.set(address, { address, kind: 'address', target: addend, symbol: 0, alone });
        break;
      case relocationType.irelative:
        slots.set(address, { address, kind: 'resolver', target: addend, symbol: 0, alone });
        break;
      case relocationType.dtpmod64:
      case relocationType.dtpoff64:
      case relocationType.tpoff64:
      case relocationType.tlsdesc:
        break;
      default: {
        const named = symbols[symbol];
        if (symbol === 0 || !named) break;
        const own =
          named.defined && (named.binding === 'local' || named.visibility !== 'default' || named.name === '');
        const kind = named.kind === 'ifunc' ? 'resolver' : 'address';
        slots.set(
          address,
          own
            ? { address, kind, target: named.address + addend, symbol: 0, alone }
            : {
                address,
                kind: type === relocationType.copy ? 'copy' : 'symbol',
                target: 0,
                symbol,
                alone,
              },
        );
      }
    }
  }
  return [...slots.values()].sort((a, b) => a.address - b.address);
}

/** Sections whose words are tables for the loader or the unwinder, not pointers that code follows. */
const metadata = /^\.(eh_frame|eh_frame_hdr|gcc_except_table|interp|note|gnu|dynamic|rela|rel|hash|dyn)/;
const PROGBITS = 1;
const ARRAYS = [14, 15, 16];

/** Position-dependent files have no relocations for their own addresses: any aligned word may be one. */
function* scanWords(elf: Elf, code: CodeMap, absolute: ImageRange): Iterable<PointerSlot> {
  const view = new DataView(elf.view.bytes.buffer, elf.view.bytes.byteOffset, elf.view.bytes.byteLength);
  const sections = elf.sections.filter(
    (s) =>
      (s.type === PROGBITS || ARRAYS.includes(s.type)) &&
      (s.flags & 6) === 2 &&
      !metadata.test(s.name) &&
      s.size > 0 &&
      fileOffset(elf, s.address, s.size) === s.offset,
  );
  const writable = elf.sections.filter(
    (s) =>
      (s.type === PROGBITS || ARRAYS.includes(s.type)) &&
      (s.flags & 7) === 3 &&
      !metadata.test(s.name) &&
      s.size > 0 &&
      fileOffset(elf, s.address, s.size) === s.offset,
  );
  const parts =
    elf.sections.length > 0
      ? [...sections, ...writable]
      : elf.segments
          .filter((s) => s.type === segmentType.load)
          .map((s) => ({ address: s.address, offset: s.offset, size: s.fileSize }));
  for (const part of parts) {
    const skip = (8 - (part.address % 8)) % 8;
    for (let at = skip; at + 8 <= part.size; at += 8) {
      if (view.getUint32(part.offset + at + 4, true) !== 0) continue;
      const target = view.getUint32(part.offset + at, true);
      if (target < absolute.low || target >= absolute.high) continue;
      const address = part.address + at;
      if (code.at(address)) continue;
      yield { address, kind: 'address', target, symbol: 0, alone: false };
    }
  }
}

/** A stretch of data that is live or not as a whole, and has at least one pointer. */
export interface DataObject {
  readonly start: number;
  readonly end: number;
  /** Positions in the slots. */
  readonly firstSlot: number;
  readonly lastSlot: number;
}

export interface DataObjects {
  readonly objects: readonly DataObject[];
  /** Objects that a reference to the address makes live; `computed` addresses may be biased. */
  at(address: number, computed: boolean): readonly number[];
}

/** A compiler may take an array's address less a little, and never the array's own. */
const LARGEST_BIAS = 64;

/**
 * Cuts data into objects. Where an object starts decides soundness, so a start must be certain: section starts,
 * symbols with a size, GOT entries, and addresses that are aligned to 32, come after 8 zero bytes (the padding
 * that such an alignment needs) *and* are referred to from code or data. A start that is missed only makes an
 * object larger.
 * @param references addresses that code or pointers refer to
 * @param bounds where data among the code starts and ends
 */
export function dataObjects(
  elf: Elf,
  slots: readonly PointerSlot[],
  references: ReadonlySet<number>,
  bounds: Iterable<number> = [],
): DataObjects {
  const view = elf.view;
  const starts = new Set(bounds);
  const slotAt = new Set(slots.map((slot) => slot.address));
  for (const segment of elf.segments) {
    if (segment.type === segmentType.load || segment.type === segmentType.tls) {
      starts.add(segment.address);
      // In memory .tbss is elsewhere: what follows the initial image of the TLS segment is other data.
      const size = segment.type === segmentType.tls ? segment.fileSize : segment.memorySize;
      starts.add(segment.address + size);
    }
  }
  for (const section of elf.sections) {
    // .tbss has an address but occupies none.
    if ((section.flags & 2) === 0 || (section.type === 8 && Math.floor(section.flags / 0x400) % 2 === 1))
      continue;
    starts.add(section.address);
    if (section.name === '.got' || section.name === '.got.plt') {
      for (let at = section.address; at < section.address + Math.min(section.size, 1 << 24); at += 8)
        starts.add(at);
    }
  }
  for (const slot of slots) {
    if (!slot.alone) continue;
    starts.add(slot.address);
    starts.add(slot.address + 8);
  }
  const sized = [...elf.symbols, ...elf.staticSymbols]
    .filter((s) => s.defined && s.kind === 'object' && s.size > 0)
    .sort((a, b) => a.address - b.address || b.size - a.size);
  const extents: { start: number; end: number }[] = [];
  for (const symbol of sized) {
    const last = extents.at(-1);
    // A symbol inside another is a part of it.
    if (last && symbol.address < last.end) continue;
    extents.push({ start: symbol.address, end: symbol.address + symbol.size });
    starts.add(symbol.address);
    starts.add(symbol.address + symbol.size);
  }
  const insideSymbol = (address: number): boolean => {
    let [low, high] = [0, extents.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((extents[middle]?.start ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    const extent = extents[low - 1];
    return extent !== undefined && address < extent.end;
  };
  for (const address of references) {
    if (address % 32 !== 0 || starts.has(address) || slotAt.has(address - 8) || insideSymbol(address))
      continue;
    const before = fileOffset(elf, address - 8, 8);
    if (before < 0 || view.u32(before) !== 0 || view.u32(before + 4) !== 0) continue;
    starts.add(address);
  }
  const sorted = Float64Array.from(starts).sort();
  const intervalOf = (address: number): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const objects: DataObject[] = [];
  const objectOfInterval = new Map<number, number>();
  for (let i = 0; i < slots.length; ) {
    const interval = intervalOf(slots[i]?.address ?? 0);
    const end = sorted[interval + 1] ?? Number.POSITIVE_INFINITY;
    let last = i;
    while (last + 1 < slots.length && (slots[last + 1]?.address ?? 0) < end) last++;
    objectOfInterval.set(interval, objects.length);
    objects.push({ start: sorted[interval] ?? 0, end, firstSlot: i, lastSlot: last });
    i = last + 1;
  }
  return {
    objects,
    at(address, computed) {
      const interval = intervalOf(address);
      const found: number[] = [];
      const here = objectOfInterval.get(interval);
      if (here !== undefined) found.push(here);
      if (!computed) return found;
      // A whole object of that size that starts just there is more likely meant than its neighbour.
      const isStart = here !== undefined && sorted[interval] === address;
      for (let next = interval + 1; next < sorted.length; next++) {
        const distance = (sorted[next] ?? 0) - address;
        if (distance > LARGEST_BIAS || (distance === LARGEST_BIAS && isStart)) break;
        const object = objectOfInterval.get(next);
        if (object !== undefined && !slots[objects[object]?.firstSlot ?? 0]?.alone) found.push(object);
      }
      return found;
    },
  };
}
