import { type Elf, fileOffset, isCode, relocationType, segmentType } from '../elf/elf.js';

/** A function of Go's table. Addresses; `end` is exclusive. */
export interface GoFunction {
  /** As the linker has it: `package/path.Function`, `package/path.(*Type).Method`. Not to be shown as it is. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Bytes above the return address that callers lend it for arguments, results and spilled registers. */
  readonly argumentBytes: number | undefined;
}

/** What is known of the Go code in a file. */
export interface GoCode {
  /** By address; empty when the table cannot be read. */
  readonly functions: readonly GoFunction[];
  /** Where the table lies: its words are not pointers that code follows. */
  readonly table: { readonly start: number; readonly end: number } | undefined;
  /** Which runtime's tables are to be expected; undefined before Go 1.18. */
  readonly layout: '1.18' | '1.20' | undefined;
}

/** More functions than any program has: the largest known have 500 thousand. */
const MAX_FUNCTIONS = 4_000_000;

/** `\xff Go buildinf:` (debug/buildinfo), at a multiple of 16. */
const buildInfo = Uint8Array.of(0xff, ...new TextEncoder().encode(' Go buildinf:'));

/** Longer names are cut: nothing is recognised by them. */
const MAX_NAME = 512;

/**
 * Assembly functions have no size of their arguments in the table. This one is given seven words and gives back
 * three (internal/runtime/syscall/linux; internal/runtime/syscall before Go 1.26, runtime/internal/syscall before 1.22).
 */
const assemblyArguments = new Map([
  ['internal/runtime/syscall/linux.Syscall6', 80],
  ['internal/runtime/syscall.Syscall6', 80],
  ['runtime/internal/syscall.Syscall6', 80],
]);

/** Magic numbers of internal/abi and debug/gosym: Go 1.2, 1.16, 1.18, 1.20. */
const magics = new Map([
  [0xfffffffb, '1.2'],
  [0xfffffffa, '1.16'],
  [0xfffffff0, '1.18'],
  [0xfffffff1, '1.20'],
] as const);
/** What follows their lowest byte: then two zero bytes, the instruction quantum 1 and the pointer size 8. */
const magicEnd = Uint8Array.of(0xff, 0xff, 0xff, 0, 0, 1, 8);

/**
 * The functions of Go code by the table that its runtime unwinds with (`.gopclntab`; runtime/symtab.go,
 * cmd/link/internal/ld/pcln.go). It is found by its magic number, so section headers are not needed.
 * @returns undefined where the file has no Go code
 */
export function goCode(elf: Elf): GoCode | undefined {
  let best: GoCode | undefined;
  const search = { left: MAX_SEARCHES };
  let isGo = elf.sections.some(({ name }) => name === '.gopclntab' || name === '.go.buildinfo');
  for (const { content, offset, address } of loadedBytes(elf)) {
    isGo ||= occurrences(content, buildInfo, offset).some((at) => at % 16 === 0);
    for (const magic of occurrences(content, magicEnd, offset + 1)) {
      const at = magic - 1;
      const room = content.length - at;
      if (at % 8 !== 0 || room < 72) continue;
      const found = readTable(elf, at, address - offset + at, room, search);
      if (found && found.functions.length > (best?.functions.length ?? 0)) best = found;
    }
  }
  return best ?? (isGo ? { functions: [], table: undefined, layout: undefined } : undefined);
}

/** The file up to the end of each loaded segment, with where the segment starts in the file and in memory. */
function* loadedBytes({
  segments,
  view: { bytes },
}: Elf): Iterable<{ readonly content: Buffer; readonly offset: number; readonly address: number }> {
  for (const { type, offset, address, fileSize } of segments) {
    if (type !== segmentType.load) continue;
    const end = Math.min(offset + fileSize, bytes.length);
    yield { content: Buffer.from(bytes.buffer, bytes.byteOffset, end), offset, address };
  }
}

/** Where a pattern stands from an offset on. */
function occurrences(content: Buffer, pattern: Uint8Array, from: number): number[] {
  const found: number[] = [];
  for (let at = content.indexOf(pattern, from); at >= 0; at = content.indexOf(pattern, at + 1))
    found.push(at);
  return found;
}

function readTable(
  elf: Elf,
  at: number,
  address: number,
  room: number,
  search: { left: number },
): GoCode | undefined {
  const { view } = elf;
  const version = magics.get(view.u32(at) as 0xfffffffb);
  if (version === undefined || view.u16(at + 4) !== 0) return undefined;
  const count = view.u64(at + 8);
  if (count === 0 || count > MAX_FUNCTIONS) return undefined;
  const [first, base, width, names] =
    version === '1.18' || version === '1.20'
      ? [view.u64(at + 64), textStart(elf, address, search), 4, view.u64(at + 32)]
      : version === '1.16'
        ? [view.u64(at + 56), 0, 8, view.u64(at + 24)]
        : [16, 0, 8, 0];
  if (!(first + (count * 2 + 1) * width <= room)) return undefined;
  const word = (offset: number): number => (width === 4 ? view.u32(at + offset) : view.u64(at + offset));
  const details = version === '1.2' ? 0 : first;
  const functions: GoFunction[] = [];
  let start = base + word(first);
  let last = first + count * 2 * width;
  for (let i = 0; i < count; i++) {
    const end = base + word(first + (i + 1) * 2 * width);
    if (end < start || !isCode(elf, start) || !isCode(elf, end - 1)) return undefined;
    // `_func`: the entry (a word, or four bytes since 1.18), then the name's place and the size of the arguments.
    const detail = details + word(first + (i * 2 + 1) * width) + width;
    last = Math.max(last, detail + 4);
    const isInside = detail + 8 <= room;
    const size = isInside ? view.i32(at + detail + 4) : -1;
    const name = isInside ? text(elf, at + names + view.u32(at + detail), at + room) : '';
    const argumentBytes = size >= 0 ? size : assemblyArguments.get(name);
    if (end > start) functions.push({ name, start, end, argumentBytes });
    start = end;
  }
  const layout = version === '1.18' || version === '1.20' ? version : undefined;
  return { functions, table: { start: address, end: address + last + 8 }, layout };
}

function text({ view: { bytes } }: Elf, at: number, end: number): string {
  let result = '';
  for (let i = at; i < Math.min(end, at + MAX_NAME); i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0) break;
    result += String.fromCharCode(byte);
  }
  return result;
}

/** Byte of the table's header where its text's start stands (Go 1.18 to 1.25). */
const HEADER_TEXT = 24;
/** Place of `text` among the words of runtime.moduledata, of which the first is the address of the function table. */
const MODULE_TEXT = 22;
/** Tables whose module is looked for in the whole file: there is one, and a hostile file may have any number. */
const MAX_SEARCHES = 8;

/**
 * What entries of functions are relative to: a word of the table's header. Since Go 1.26 that one is empty, and
 * runtime.moduledata (runtime/symtab.go) tells: in the text section the C compiler's code may come before that of Go.
 */
function textStart(elf: Elf, address: number, search: { left: number }): number {
  const written = pointerAt(elf, address + HEADER_TEXT);
  if (written > 0) return written;
  if (search.left > 0 && Number.isSafeInteger(address)) {
    search.left--;
    for (const module of pointersTo(elf, address)) {
      const text = pointerAt(elf, module + MODULE_TEXT * 8);
      if (isCode(elf, text)) return text;
    }
  }
  // A table without its module: in a file without C code the text section starts with Go's.
  const text = elf.sections.find(({ name }) => name === '.text');
  return text && fileOffset(elf, text.address) >= 0 ? text.address : 0;
}

/** A word as it is once the loader is done with it; 0 where there is none. */
function pointerAt(elf: Elf, address: number): number {
  const { relocations } = elf;
  for (let i = 0; i < relocations.count; i++) {
    if (relocations.offset[i] === address && relocations.type[i] === relocationType.relative) {
      return relocations.addend[i] ?? 0;
    }
  }
  const at = fileOffset(elf, address, 8);
  return at < 0 ? 0 : elf.view.u64(at);
}

/** Addresses of words that hold an address, in order. */
function pointersTo(elf: Elf, target: number): number[] {
  const found: number[] = [];
  const { relocations } = elf;
  for (let i = 0; i < relocations.count; i++) {
    if (relocations.addend[i] === target && relocations.type[i] === relocationType.relative) {
      found.push(relocations.offset[i] ?? 0);
    }
  }
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt(target));
  for (const { content, offset, address } of loadedBytes(elf)) {
    for (const at of occurrences(content, word, offset)) {
      if (at % 8 === 0) found.push(address - offset + at);
    }
  }
  return found.sort((a, b) => a - b);
}
