import { Code } from '../decode/iced-numbers.js';
import { Instructions, operandKind } from '../decode/instructions.js';
import { fullRegister, rax, rcx, rdi } from '../decode/registers.js';
import { type Elf, type ElfSymbol, isCode, relocationType } from '../elf/elf.js';
import type { CodeMap } from '../function/code-map.js';

/** Lines of a listing that are looked back over. */
const lookBack = 15;
/** Bytes of an instruction on one line of objdump's listing: a longer one takes several. */
const bytesOnALine = 7;
/** Bytes decoded at once. */
const chunk = 1 << 16;

/** An immediate moved to one of these, 32 or 64 bits, is taken for the number, whichever the instruction asks for. */
const numbered: ReadonlySet<number | undefined> = new Set([rax, rcx, rdi]);
/** What objdump writes as `mov`, with an immediate; `movabs` and moves to memory are other words. */
const moves: ReadonlySet<number> = new Set([Code.Mov_r32_imm32, Code.Mov_rm32_imm32, Code.Mov_rm64_imm32]);

export interface DirectCalls {
  /** Sorted; the table may not have them. */
  readonly numbers: readonly number[];
  /** Instructions without a number near them. */
  readonly undecided: number;
}

/**
 * Confine's search for calls outside of libc (RAID 2020; binaryAnalysis.py of its repository): at each `syscall`, and at
 * each call of a function that has "syscall" in its name, the nearest `mov` of an immediate to rax, rcx or rdi among the 15
 * lines before, in layout order, branches or not; the listing starts anew at each symbol.
 */
export function directCalls(elf: Elf, code: CodeMap): DirectCalls {
  const symbols = elf.staticSymbols.length > 0 ? elf.staticSymbols : elf.symbols;
  const labels = labelsOf(elf, symbols);
  const callees = calleesOf(elf, symbols);
  const numbers = new Set<number>();
  let undecided = 0;
  const rows = new Instructions();
  for (const segment of code.segments) {
    const isQuiet = callees.size === 0 && !hasSyscall(segment.start, segment.end, (at) => segment.byteAt(at));
    if (isQuiet) continue;
    const inside = labels.filter((label) => label > segment.start && label < segment.end);
    const starts = [segment.start, ...inside, segment.end];
    for (let part = 0; part + 1 < starts.length; part++) {
      const [start = 0, end = 0] = [starts[part], starts[part + 1]];
      let line = 0;
      let known: { readonly line: number; readonly value: number } | undefined;
      for (let at = start; at < end; ) {
        rows.clear();
        segment.decode(at, Math.min(at + chunk, end), rows);
        for (let i = 0; i < rows.count; i++) {
          const instruction = rows.code(i);
          const isSite =
            instruction === Code.Syscall ||
            (instruction === Code.Call_rel32_64 && callees.has(rows.displacement(i)));
          if (isSite) {
            if (known !== undefined && line - known.line <= lookBack) numbers.add(known.value);
            else undecided += 1;
          }
          const isMove = moves.has(instruction) && rows.kind(i, 0) === operandKind.register;
          if (isMove && numbered.has(fullRegister[rows.register(i, 0)])) {
            known = { line, value: rows.immediate(i, rows.kind(i, 1)) };
          }
          line += Math.max(1, Math.ceil(rows.length(i) / bytesOnALine));
        }
        const next = rows.count === 0 ? end : rows.next(rows.count - 1);
        at = next > at ? next : end;
      }
    }
  }
  return { numbers: [...numbers].sort((a, b) => a - b), undecided };
}

function hasSyscall(start: number, end: number, byteAt: (address: number) => number): boolean {
  for (let at = start; at + 1 < end; at++) if (byteAt(at) === 0x0f && byteAt(at + 1) === 0x05) return true;
  return false;
}

/** Where a listing writes a symbol's name: sorted, each address once. */
function labelsOf(elf: Elf, symbols: readonly ElfSymbol[]): number[] {
  const addresses = new Set<number>();
  for (const { defined, kind, name, address } of symbols) {
    if (defined && name !== '' && kind !== 'tls' && isCode(elf, address)) addresses.add(address);
  }
  return [...addresses].sort((a, b) => a - b);
}

/** Addresses of what is named after the call: functions of the file's own, and entries of the PLT. */
function calleesOf(elf: Elf, symbols: readonly ElfSymbol[]): Set<number> {
  const isNamedSo = ({ name }: ElfSymbol): boolean => name.includes('syscall');
  const callees = new Set<number>();
  for (const symbol of symbols) if (symbol.defined && isNamedSo(symbol)) callees.add(symbol.address);
  const slots = new Set<number>();
  const { relocations } = elf;
  for (let i = 0; i < relocations.count; i++) {
    const type = relocations.type[i];
    if (type !== relocationType.jumpSlot && type !== relocationType.globDat) continue;
    const symbol = elf.symbols[relocations.symbol[i] ?? 0];
    if (symbol !== undefined && isNamedSo(symbol)) slots.add(relocations.offset[i] ?? 0);
  }
  if (slots.size === 0) return callees;
  for (const { name, address, offset, size } of elf.sections) {
    if (!name.startsWith('.plt')) continue;
    for (let at = 0; at + 6 <= size; at++) {
      if (elf.view.u8(offset + at) !== 0xff || elf.view.u8(offset + at + 1) !== 0x25) continue;
      if (!slots.has(address + at + 6 + elf.view.i32(offset + at + 2))) continue;
      // Entries are aligned to 16 bytes (8 in .plt.got of old linkers); endbr64 and a prefix may come before the jump.
      const entry = address + at;
      for (const start of [entry, entry - 1, entry - 4, entry - 5]) callees.add(start);
    }
  }
  return callees;
}
