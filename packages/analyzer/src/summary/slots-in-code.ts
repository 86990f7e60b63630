import type { CodeDecoder } from '../decode/decoder.js';
import { Instructions } from '../decode/instructions.js';
import { type Elf, fileOffset } from '../elf/elf.js';
import type { CodeMap } from '../function/code-map.js';
import type { FunctionTable } from '../function/discover-functions.js';
import { type ImageRange, isPadding } from '../function/scan-function.js';
import type { PointerSlot } from './data-objects.js';

/**
 * Words among the code that may be pointers: tables of hand-written code, and all constants where nothing tells
 * them from code (old linkers' one segment for both, and no section headers). Only position-dependent files have
 * them without a relocation. Functions whose extent a table gives have none: compilers put constants elsewhere.
 */
export function slotsInCode(
  elf: Elf,
  code: CodeMap,
  table: FunctionTable,
  absolute: ImageRange,
): PointerSlot[] {
  const slots: PointerSlot[] = [];
  for (const decoder of code.segments) {
    const offset = fileOffset(elf, decoder.start, decoder.end - decoder.start);
    if (offset < 0) continue;
    for (const [from, to] of outsideCode(decoder, table)) {
      const first = skipPadding(decoder, from, to);
      for (let address = Math.ceil(first / 8) * 8; address + 8 <= to; address += 8) {
        const at = offset + address - decoder.start;
        if (elf.view.u32(at + 4) !== 0) continue;
        const target = elf.view.u32(at);
        if (target < absolute.low || target >= absolute.high) continue;
        slots.push({ address, kind: 'address', target, symbol: 0, alone: false });
      }
    }
  }
  return slots;
}

/** Stretches of a decoder's bytes that are not known to be code: between functions, and where those have holes. */
function* outsideCode(decoder: CodeDecoder, table: FunctionTable): Iterable<[from: number, to: number]> {
  let at = decoder.start;
  for (const f of table.functions) {
    if (f.end <= decoder.start || f.start >= decoder.end) continue;
    if (f.start > at) yield [at, f.start];
    if (f.pointedOnly) yield [f.start, f.end];
    else for (let i = 0; i < f.gaps.length; i += 2) yield [f.gaps[i] ?? 0, f.gaps[i + 1] ?? 0];
    at = f.end;
  }
  if (at < decoder.end) yield [at, decoder.end];
}

const rows = new Instructions();

/** Long no-operations look like small pointers. */
function skipPadding(decoder: CodeDecoder, from: number, to: number): number {
  let at = from;
  while (at < to) {
    rows.clear();
    decoder.decode(at, Math.min(at + 64, to), rows);
    for (let row = 0; row < rows.count; row++) {
      if (!isPadding(rows, row)) return at;
      at += Math.max(1, rows.length(row));
    }
    if (rows.count === 0) break;
  }
  return at;
}
