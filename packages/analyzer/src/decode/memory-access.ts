import type * as Iced from 'iced-x86';
import { iced } from './iced.js';
import { Mnemonic } from './iced-numbers.js';
import { type Instructions, mnemonicOf, operandKind } from './instructions.js';

/** What an instruction does to its memory operand. */
export interface MemoryAccess {
  readonly reads: boolean;
  readonly writes: boolean;
  /** Bytes from the operand's address on; infinite where the processor's state decides (`xsave`, `bts`). */
  readonly width: number;
}

const none: MemoryAccess = { reads: false, writes: false, width: 0 };
const known = new Map<number, MemoryAccess>();
let probe:
  | { readonly instruction: Iced.Instruction; readonly factory: Iced.InstructionInfoFactory }
  | undefined;

/** With a register as bit number these reach bits far from their operand's address. */
const bitStrings = new Set<number>([Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc]);

/** How row `row` uses the memory operand at position `operand`, by iced's tables of operand accesses. */
export function memoryAccess(rows: Instructions, row: number, operand: number): MemoryAccess {
  if (rows.kind(row, operand) !== operandKind.memory) return none;
  const code = rows.code(row);
  const far = bitStrings.has(mnemonicOf[code] ?? 0) && rows.kind(row, 1) === operandKind.register;
  const key = code * 16 + operand * 2 + (far ? 1 : 0);
  let access = known.get(key);
  if (access === undefined) {
    access = askIced(code, operand, far);
    known.set(key, access);
  }
  return access;
}

function askIced(code: number, operand: number, far: boolean): MemoryAccess {
  probe ??= { instruction: new iced.Instruction(), factory: new iced.InstructionInfoFactory() };
  const { instruction, factory } = probe;
  instruction.code = code;
  const info = factory.info(instruction);
  const access = info.opAccess(operand);
  info.free();
  if (access === iced.OpAccess.None || access === iced.OpAccess.NoMemAccess) return none;
  const size = iced.MemorySizeExt.size(instruction.memorySize);
  return {
    reads: access !== iced.OpAccess.Write && access !== iced.OpAccess.CondWrite,
    writes: access !== iced.OpAccess.Read && access !== iced.OpAccess.CondRead,
    width: far || size === 0 ? Number.POSITIVE_INFINITY : size,
  };
}
