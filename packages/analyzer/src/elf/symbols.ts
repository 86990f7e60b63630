import { ProfGenError } from '@prof-gen/core/base';
import type { ByteView } from './byte-view.js';
import { type Dynamic, dynamicTag, offsetIn } from './dynamic.js';
import type { ElfSymbol, Relocations, Section, Segment, SymbolKind } from './elf.js';

const SYMBOL_SIZE = 24;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
/** Chromium, the largest program people ship, has about 1.5 million; each costs memory. */
const MAX_SYMBOLS = 4_000_000;
/** Version indexes have 15 bits. */
const MAX_VERSIONS = 32_768;

const kinds: readonly SymbolKind[] = ['none', 'object', 'function', 'other', 'other', 'object', 'tls'];

interface Version {
  readonly name: string;
  readonly hidden: boolean;
}

function readSymbol(
  view: ByteView,
  at: number,
  nameAt: (index: number) => number,
  version: Version | undefined,
): ElfSymbol {
  const info = view.u8(at + 4);
  const kind = info % 16 === 10 ? 'ifunc' : (kinds[info % 16] ?? 'other');
  const binding = info >> 4;
  const nameOffset = nameAt(view.u32(at));
  return {
    name: nameOffset < 0 ? '' : view.string(nameOffset, 65_536),
    kind,
    binding: binding === 0 ? 'local' : binding === 2 ? 'weak' : 'global',
    visibility: (['default', 'internal', 'hidden', 'protected'] as const)[view.u8(at + 5) & 3] ?? 'default',
    defined: view.u16(at + 6) !== 0,
    address: view.u64(at + 8),
    size: view.u64(at + 16),
    ...(version && version.name !== '' ? { version: version.name } : {}),
    hiddenVersion: version?.hidden ?? false,
  };
}

/**
 * How many dynamic symbols there are. No entry of the dynamic section says so. What can be looked up is in a
 * hash table: DT_HASH counts all, DT_GNU_HASH only tells the last that is defined. What the file itself asks
 * for is named by its relocations.
 */
function countDynamic(
  view: ByteView,
  segments: readonly Segment[],
  sections: readonly Section[],
  dynamic: Dynamic,
  relocations: Relocations,
): number {
  let count = dynamic.values.has(dynamicTag.hash) ? countHash(view, segments, dynamic) : 0;
  if (dynamic.values.has(dynamicTag.gnuHash)) count = Math.max(count, countGnuHash(view, segments, dynamic));
  if (count === 0) {
    const section = sections.find((s) => s.type === SHT_DYNSYM);
    if (section) count = Math.floor(section.size / SYMBOL_SIZE);
  }
  for (let i = 0; i < relocations.count; i++) {
    const symbol = relocations.symbol[i] ?? 0;
    if (symbol >= count) count = symbol + 1;
  }
  return count;
}

function countHash(view: ByteView, segments: readonly Segment[], dynamic: Dynamic): number {
  const at = offsetIn(segments, dynamic.values.get(dynamicTag.hash) ?? 0, 8);
  return at < 0 ? 0 : view.u32(at + 4);
}

function countGnuHash(view: ByteView, segments: readonly Segment[], dynamic: Dynamic): number {
  const at = offsetIn(segments, dynamic.values.get(dynamicTag.gnuHash) ?? 0, 16);
  if (at < 0) return 0;
  const buckets = view.u32(at);
  const first = view.u32(at + 4);
  const bucketsAt = at + 16 + view.u32(at + 8) * 8;
  view.need(bucketsAt, buckets * 4, 'The symbol hash table');
  let last = first - 1;
  for (let i = 0; i < buckets; i++) last = Math.max(last, view.u32(bucketsAt + i * 4));
  if (last < first) return first;
  // Each chain ends with an odd hash value; the last bucket's chain ends the table.
  const chains = bucketsAt + buckets * 4;
  while ((view.u32(chains + (last - first) * 4) & 1) === 0) last++;
  return last + 1;
}

/** Names by version index, from DT_VERDEF and DT_VERNEED. Both lists go forward only, so a cycle cannot be. */
function readVersionNames(
  view: ByteView,
  segments: readonly Segment[],
  dynamic: Dynamic,
  text: (index: number) => string,
): Map<number, string> {
  const names = new Map<number, string>();
  let auxLeft = MAX_VERSIONS;
  const walk = (tag: number, countTag: number, entry: (at: number) => void, nextField: number): void => {
    let at = offsetIn(segments, dynamic.values.get(tag) ?? 0, 16);
    let left = Math.min(dynamic.values.get(countTag) ?? 0, MAX_VERSIONS);
    while (at > 0 && left-- > 0) {
      entry(at);
      const next = view.u32(at + nextField);
      if (next === 0) break;
      at += next;
    }
  };
  if (dynamic.values.has(dynamicTag.verdef)) {
    walk(
      dynamicTag.verdef,
      dynamicTag.verdefCount,
      (at) => {
        // The base definition (VER_FLG_BASE) names the file, not a version.
        if ((view.u16(at + 2) & 1) === 0) names.set(view.u16(at + 4), text(view.u32(at + view.u32(at + 12))));
      },
      16,
    );
  }
  if (dynamic.values.has(dynamicTag.verneed)) {
    walk(
      dynamicTag.verneed,
      dynamicTag.verneedCount,
      (at) => {
        let aux = at + view.u32(at + 8);
        for (let left = view.u16(at + 2); left > 0 && auxLeft > 0; left--, auxLeft--) {
          names.set(view.u16(aux + 6) & 0x7fff, text(view.u32(aux + 8)));
          const next = view.u32(aux + 12);
          if (next === 0) break;
          aux += next;
        }
      },
      12,
    );
  }
  return names;
}

/** The dynamic symbol table with versions. Empty when there is none. */
export function readDynamicSymbols(
  view: ByteView,
  segments: readonly Segment[],
  sections: readonly Section[],
  dynamic: Dynamic,
  relocations: Relocations,
): ElfSymbol[] {
  const symtab = dynamic.values.get(dynamicTag.symtab);
  const strtab = dynamic.values.get(dynamicTag.strtab);
  if (symtab === undefined || strtab === undefined) return [];
  const count = countDynamic(view, segments, sections, dynamic, relocations);
  const at = offsetIn(segments, symtab, count * SYMBOL_SIZE);
  if (at < 0 || count > MAX_SYMBOLS) {
    throw new ProfGenError('elf/bad-header', `A table of ${count} dynamic symbols lies outside the file`, {
      details: { address: symtab, count },
    });
  }
  const nameAt = (index: number): number => {
    const name = offsetIn(segments, strtab + index);
    if (name < 0) {
      throw new ProfGenError('elf/bad-header', 'A symbol name lies outside the file', { details: { index } });
    }
    return name;
  };
  const versym = dynamic.values.get(dynamicTag.versym);
  const versions = versym === undefined ? -1 : offsetIn(segments, versym, count * 2);
  const names =
    versions < 0 ? undefined : readVersionNames(view, segments, dynamic, (i) => view.string(nameAt(i)));
  const symbols: ElfSymbol[] = [];
  for (let i = 0; i < count; i++) {
    const index = versions < 0 ? 0 : view.u16(versions + i * 2);
    const version = names && {
      name: names.get(index & 0x7fff) ?? '',
      hidden: (index & 0x8000) !== 0,
    };
    symbols.push(readSymbol(view, at + i * SYMBOL_SIZE, nameAt, version));
  }
  return symbols;
}

/** `.symtab`, for better boundaries and names; empty where stripped or damaged. */
export function readStaticSymbols(view: ByteView, sections: readonly Section[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const strings = sections.find((section) => section.name === '.strtab' && section.type === 3);
  if (!table || !strings) return [];
  const count = Math.min(Math.floor(table.size / SYMBOL_SIZE), MAX_SYMBOLS);
  const symbols: ElfSymbol[] = [];
  for (let i = 0; i < count; i++) {
    const at = table.offset + i * SYMBOL_SIZE;
    const name = view.u32(at);
    if (name >= strings.size) continue;
    symbols.push(readSymbol(view, at, () => strings.offset + name, undefined));
  }
  return symbols;
}
