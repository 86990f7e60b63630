import { ProfGenError } from '@prof-gen/core/base';
import type { ByteView } from './byte-view.js';
import { type Dynamic, dynamicTag, offsetIn } from './dynamic.js';
import { type Relocations, relocationType, type Section, type Segment, segmentType } from './elf.js';

const SHT_RELA = 4;
const DT_RELA = 7;
const PF_X = 1;
const PF_W = 2;
/** Chromium has about 1.2 million. Compressed tables (RELR) could name 63 per 8 bytes of file. */
const MAX_RELOCATIONS = 8_000_000;

/** In REL tables the word in place is not an addend of these (musl's ldso/dynlink.c: do_relocs). */
const withoutAddend: ReadonlySet<number> = new Set([
  relocationType.globDat,
  relocationType.jumpSlot,
  relocationType.copy,
]);

interface Table {
  readonly at: number;
  readonly size: number;
  readonly kind: 'rel' | 'rela' | 'relr';
}

function tablesOf(
  view: ByteView,
  segments: readonly Segment[],
  sections: readonly Section[],
  dynamic: Dynamic,
): Table[] {
  const tables: Table[] = [];
  const add = (address: number | undefined, size: number | undefined, kind: Table['kind']): void => {
    if (address === undefined || !size) return;
    const at = offsetIn(segments, address, size);
    if (at < 0) {
      throw new ProfGenError('elf/truncated', 'A relocation table lies outside the file', {
        details: { offset: address, size, fileSize: view.length },
      });
    }
    tables.push({ at, size, kind });
  };
  const { values } = dynamic;
  add(values.get(dynamicTag.rel), values.get(dynamicTag.relSize), 'rel');
  add(values.get(dynamicTag.rela), values.get(dynamicTag.relaSize), 'rela');
  add(values.get(dynamicTag.relr), values.get(dynamicTag.relrSize), 'relr');
  const pltKind = (values.get(dynamicTag.pltRel) ?? DT_RELA) === DT_RELA ? 'rela' : 'rel';
  const plt = values.get(dynamicTag.jmpRel);
  const pltSize = values.get(dynamicTag.pltRelSize) ?? 0;
  const rela = values.get(dynamicTag.rela);
  const relaEnd = (rela ?? 0) + (values.get(dynamicTag.relaSize) ?? 0);
  // Some linkers count the PLT's relocations into DT_RELASZ as well.
  const shared = plt !== undefined && rela !== undefined && plt >= rela && plt < relaEnd;
  if (!shared) add(plt, pltSize, pltKind);
  else if (plt + pltSize > relaEnd) add(relaEnd, plt + pltSize - relaEnd, pltKind);
  if (values.size === 0) {
    // A static program relocates itself (IRELATIVE) from a table that only a section header names.
    for (const section of sections) {
      if (section.type === SHT_RELA && section.flags % 4 >= 2)
        tables.push({ at: section.offset, size: section.size, kind: 'rela' });
    }
    if (sections.length === 0) tables.push(...selfRelocations(view, segments));
  }
  return tables;
}

/**
 * The IRELATIVE entries of a static program without section headers, each as a table of one: its start-up code
 * knows the table by two symbols (`__rela_iplt_start`, glibc's csu/libc-start.c) that leave no trace. An entry
 * is told by its second word and by where it leads; one that is taken for it wrongly only adds code.
 */
function* selfRelocations(view: ByteView, segments: readonly Segment[]): Iterable<Table> {
  const loads = segments.filter((segment) => segment.type === segmentType.load);
  const within = (address: number, flag: number): boolean =>
    loads.some(
      (s) =>
        Math.floor(s.flags / flag) % 2 === 1 && address >= s.address && address < s.address + s.memorySize,
    );
  for (const { offset, fileSize } of loads) {
    for (let at = Math.ceil(offset / 8) * 8; at + 24 <= offset + fileSize; at += 8) {
      if (view.u32(at + 8) !== relocationType.irelative || view.u32(at + 12) !== 0) continue;
      if (within(view.u64(at), PF_W) && within(view.u64(at + 16), PF_X)) yield { at, size: 24, kind: 'rela' };
    }
  }
}

/** Every dynamic relocation. Symbol indexes are not checked: what they name tells how many symbols there are. */
export function readRelocations(
  view: ByteView,
  segments: readonly Segment[],
  sections: readonly Section[],
  dynamic: Dynamic,
): Relocations {
  const tables = tablesOf(view, segments, sections, dynamic);
  const offsets: number[] = [];
  const types: number[] = [];
  const symbols: number[] = [];
  const addends: number[] = [];
  const push = (offset: number, type: number, symbol: number, addend: number): void => {
    if (offsets.length >= MAX_RELOCATIONS) {
      throw new ProfGenError('elf/too-complex', `More than ${MAX_RELOCATIONS} relocations`, {
        details: { limit: MAX_RELOCATIONS },
      });
    }
    offsets.push(offset);
    types.push(type);
    symbols.push(symbol);
    addends.push(addend);
  };
  const inPlace = (address: number): number => {
    const at = offsetIn(segments, address, 8);
    return at < 0 ? 0 : view.i64(at);
  };
  for (const table of tables) {
    if (table.kind === 'relr') {
      // https://sourceware.org/glibc: an even word is an address, an odd one a bitmap of the next 63 words.
      let next = 0;
      for (let i = 0; i + 8 <= table.size; i += 8) {
        const low = view.u32(table.at + i);
        if (low % 2 === 0) {
          next = view.u64(table.at + i);
          push(next, relocationType.relative, 0, inPlace(next));
          next += 8;
          continue;
        }
        const high = view.u32(table.at + i + 4);
        for (let bit = 1; bit < 64; bit++) {
          const set = bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1;
          const address = next + (bit - 1) * 8;
          if (set) push(address, relocationType.relative, 0, inPlace(address));
        }
        next += 63 * 8;
      }
      continue;
    }
    const step = table.kind === 'rela' ? 24 : 16;
    for (let i = 0; i + step <= table.size; i += step) {
      const at = table.at + i;
      const offset = view.u64(at);
      const type = view.u32(at + 8);
      const addend = step === 24 ? view.i64(at + 16) : withoutAddend.has(type) ? 0 : inPlace(offset);
      push(offset, type, view.u32(at + 12), addend);
    }
  }
  return {
    count: offsets.length,
    offset: Float64Array.from(offsets),
    type: Uint32Array.from(types),
    symbol: Uint32Array.from(symbols),
    addend: Float64Array.from(addends),
  };
}
