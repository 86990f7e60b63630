import type { ByteView } from './byte-view.js';

/** A PT_* entry of the program header table. Addresses and sizes in bytes. */
export interface Segment {
  readonly type: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** A section header. Only hints: a file without them, or with wrong ones, is analysed all the same. */
export interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

export type SymbolKind = 'none' | 'object' | 'function' | 'tls' | 'ifunc' | 'other';

export interface ElfSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  readonly binding: 'local' | 'global' | 'weak';
  readonly visibility: 'default' | 'internal' | 'hidden' | 'protected';
  readonly defined: boolean;
  readonly address: number;
  readonly size: number;
  /** Name of the symbol version: wanted (undefined symbols) or given (defined ones). */
  readonly version?: string;
  /** A version that only a reference naming it binds to (`name@V`, not `name@@V`). */
  readonly hiddenVersion: boolean;
}

/** Relocations as columns, in file order: REL, RELA, RELR, then the PLT's. */
export interface Relocations {
  readonly count: number;
  readonly offset: Float64Array;
  /** R_X86_64_*. RELR entries stand as R_X86_64_RELATIVE. */
  readonly type: Uint32Array;
  /** Index into `symbols`; 0 for none. */
  readonly symbol: Uint32Array;
  /** RELATIVE entries of REL and RELR tables already carry the word found in place. */
  readonly addend: Float64Array;
}

export interface DynamicFlags {
  /** DF_SYMBOLIC or DT_SYMBOLIC: own definitions come before the global scope. */
  readonly symbolic: boolean;
  /** DF_BIND_NOW or DF_1_NOW. */
  readonly bindNow: boolean;
  /** DF_1_NODEFLIB: the loader's default directories are not searched. */
  readonly noDefaultLibraries: boolean;
  /** DF_1_PIE. */
  readonly pie: boolean;
  /** DF_1_NODELETE. */
  readonly noDelete: boolean;
}

/** An object that a file says it may open with dlopen(3). */
export interface AnnouncedObject {
  /** For the loader to look for. */
  readonly name: string;
  readonly feature: string;
}

/** What of an ELF file decides which other files the dynamic loader loads with it (ld.so(8)). */
export interface LoaderFacts {
  /** PT_INTERP, as written. */
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed: readonly string[];
  /** DT_FILTER and DT_AUXILIARY; a filtee of the latter kind may be missing. */
  readonly filters: readonly string[];
  readonly auxiliaries: readonly string[];
  /** DT_RPATH and DT_RUNPATH split at colons, `$ORIGIN` not replaced. */
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  readonly flags: DynamicFlags;
  /** Objects that the file itself says it may open late. */
  readonly announced: readonly AnnouncedObject[];
}

/** An x86-64 ELF file as its program headers describe it (System V gABI, chapters 4 and 5). */
export interface Elf extends LoaderFacts {
  readonly view: ByteView;
  readonly machine: 'x86-64';
  readonly class: 64;
  readonly type: 'executable' | 'shared';
  /** Loaded where the kernel likes: ET_DYN. */
  readonly positionIndependent: boolean;
  /** ET_DYN that is meant to be run: DF_1_PIE is set or it names an interpreter. */
  readonly pie: boolean;
  /** No interpreter and no needed object. */
  readonly static: boolean;
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
  /** Dynamic symbols, index 0 included. */
  readonly symbols: readonly ElfSymbol[];
  /** `.symtab`, where present. */
  readonly staticSymbols: readonly ElfSymbol[];
  readonly relocations: Relocations;
  /** DT_INIT and DT_FINI. */
  readonly init: readonly number[];
  /** Where DT_PREINIT_ARRAY, DT_INIT_ARRAY and DT_FINI_ARRAY lie. */
  readonly initArrays: readonly { readonly address: number; readonly size: number }[];
  readonly tls?: Segment;
  /** DT_PLTGOT, or the section: where position-independent code of the large model reckons from. */
  readonly globalOffsetTable?: number;
}

export const segmentType = {
  load: 1,
  dynamic: 2,
  interp: 3,
  note: 4,
  tls: 7,
  ehFrame: 0x6474e550,
  relro: 0x6474e552,
};

export const relocationType = {
  absolute64: 1,
  pc32: 2,
  copy: 5,
  globDat: 6,
  jumpSlot: 7,
  relative: 8,
  absolute32: 10,
  absolute32s: 11,
  dtpmod64: 16,
  dtpoff64: 17,
  tpoff64: 18,
  tlsdesc: 36,
  irelative: 37,
  relative64: 38,
};

/** File offset of a loaded address, or -1: not loaded from the file (`.bss`, a hole, nonsense). */
export function fileOffset(elf: Elf, address: number, size = 1): number {
  for (const segment of elf.segments) {
    if (segment.type !== segmentType.load) continue;
    const delta = address - segment.address;
    if (delta >= 0 && delta + size <= segment.fileSize) return segment.offset + delta;
  }
  return -1;
}

/** Whether the address lies in an executable segment's bytes. */
export function isCode(elf: Elf, address: number): boolean {
  for (const segment of elf.segments) {
    if (segment.type !== segmentType.load || (segment.flags & 1) === 0) continue;
    if (address >= segment.address && address < segment.address + segment.fileSize) return true;
  }
  return false;
}
