import { memoryAccess } from '../decode/memory-access.js';
import { flow, flowOf, operandKind, operandsOf } from '../decode/instructions.js';
import { Register } from '../decode/iced-numbers.js';
import { argumentRegisters, fullRegister, rsp } from '../decode/registers.js';
import type { Observations } from './interpret.js';
import type { FunctionCode, FunctionScanner } from './scan-function.js';
import { stackOffsetOf, type Value } from './value.js';

/**
 * Addresses of the instructions that a function could change a record with, or hand it on.
 * @returns undefined where there are string stores, whose reach is not known
 */
export function recordUses(target: FunctionCode, scanner: FunctionScanner): Set<number> | undefined {
  const uses = new Set<number>();
  const { rows } = scanner;
  for (let at = target.start; at < target.end; at++) {
    const row = scanner.rowOf(at);
    if (row < 0) continue;
    if (isStringKind(rows.kind(row, 0))) return undefined;
    const kind = flowOf[rows.code(row)] ?? 0;
    const isCall = kind === flow.call || kind === flow.indirectCall;
    const leaves =
      kind === flow.indirectJump || (kind === flow.jump && !inside(target, rows.displacement(row)));
    if ((isCall && !target.syscalls.includes(at)) || leaves || written(scanner, row)) uses.add(at);
  }
  return uses;
}

/** The memory operand that an instruction writes to: how many bytes. */
function written(scanner: FunctionScanner, row: number): number {
  const { rows } = scanner;
  for (let operand = 0; operand < (operandsOf[rows.code(row)] ?? 0); operand++) {
    const access = memoryAccess(rows, row, operand);
    if (access.writes) return access.width;
  }
  return 0;
}

/** `[rdi]` of string instructions: the kinds between immediates and ordinary memory operands. */
const isStringKind = (kind: number): boolean =>
  kind > operandKind.immediate32to64 && kind < operandKind.memory;

const inside = (target: FunctionCode, address: number): boolean =>
  address >= target.start && address < target.end;

export interface RecordWatch {
  /** Bytes of the record that must stay: from here, four. */
  readonly offset: number;
  /** Offset in the record that a value leads to; undefined where it does not lead there. */
  readonly offsetIn: (value: Value) => number | undefined;
  /** Whether pointers of which that is not known count as leading to the record's start. */
  readonly unknownMayLead: boolean;
}

/**
 * Whether a function leaves four bytes of a record as they are: it stores to the record beside them only, hands no
 * pointer to it to another function, and stores the pointer nowhere but on its stack or in static words.
 * @param observed the states before all of `recordUses`
 * @returns static words that the pointer is stored in, or undefined
 */
export function keepsRecord(
  observed: Observations,
  scanner: FunctionScanner,
  { offset, offsetIn, unknownMayLead }: RecordWatch,
): number[] | undefined {
  const { rows } = scanner;
  const words: number[] = [];
  for (const [at, state] of observed) {
    const row = scanner.rowOf(at);
    if (row < 0) return undefined;
    const width = written(scanner, row);
    if (width === 0) {
      if (argumentRegisters.some((r) => offsetIn(state.registers[r] ?? null) !== undefined)) return undefined;
      continue;
    }
    const stores = [0, 1].map((operand) => fullRegister[rows.register(row, operand)] ?? -1);
    const handsOn = stores.some((r) => r >= 0 && offsetIn(state.registers[r] ?? null) !== undefined);
    if (rows.base(row) === Register.RIP) {
      if (handsOn) words.push(rows.displacement(row));
      continue;
    }
    const base = fullRegister[rows.base(row)] ?? -1;
    if (rows.isThreadRelative(row)) {
      if (handsOn) return undefined;
      continue;
    }
    const pointer = base < 0 ? null : (state.registers[base] ?? null);
    if (base === rsp || stackOffsetOf(pointer) !== undefined) continue;
    if (handsOn) return undefined;
    const known = offsetIn(pointer);
    if (known === undefined && !unknownMayLead) continue;
    if (rows.index(row) !== Register.None) return undefined;
    const start = (known ?? 0) + rows.displacement(row);
    if (start < offset + 4 && start + width > offset) return undefined;
  }
  return words;
}
