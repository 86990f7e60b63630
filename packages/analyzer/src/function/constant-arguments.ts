import { Mnemonic } from '../decode/iced-numbers.js';
import { flow, flowOf, mnemonicOf, mnemonicsNamed, operandKind } from '../decode/instructions.js';
import { argumentRegisters, fullRegister, registerWidth } from '../decode/registers.js';
import {
  eachReference,
  handsOver,
  type FunctionCode,
  type FunctionScanner,
  reference,
} from './scan-function.js';

/** Instructions looked at before a call. Arguments are set just before it. */
const MAX_BACK = 24;

/** Instructions that write their first operand and nothing else but flags (push: the stack). */
const plain = new Set(
  mnemonicsNamed(
    /^(Mov|Movzx|Movsxd?|Mov(aps|ups|dqa|dqu|q|d)|Lea|Xor|And|Or|Add|Sub|Shl|Shr|Sar|Not|Neg|Pxor|Push|Test|Cmp|Nop|Cmov[a-z]+|Set(?!ssbsy)[a-z]{1,2})$/,
  ),
);
const onlyReads = new Set<number>([Mnemonic.Test, Mnemonic.Cmp, Mnemonic.Nop, Mnemonic.Push]);

/**
 * Constants that are put into argument registers straight before calls: a cheap look at the function that was
 * scanned last, without following control. Nothing is said where control may join in between.
 * @param wanted which calls and tail calls to look at, by kind (`reference`) and target
 * @returns by address of the call: values by register
 */
export function constantArguments(
  target: FunctionCode,
  scanner: FunctionScanner,
  wanted: (kind: number, to: number) => boolean,
): Map<number, ReadonlyMap<number, number>> {
  const found = new Map<number, ReadonlyMap<number, number>>();
  // Where jump tables and handlers of exceptions lead is not known for certain.
  if (target.indirectJump || target.landingPads) return found;
  let joins: Set<number> | undefined;
  eachReference(target, (kind, at, to) => {
    if (!handsOver(kind) || kind === reference.fall || !wanted(kind, to)) return;
    joins ??= joinsOf(target, scanner);
    const values = constantsBefore(at, scanner, joins);
    if (values.size > 0) found.set(at, values);
  });
  return found;
}

/** Addresses that control reaches other than from the instruction before. */
function joinsOf(target: FunctionCode, scanner: FunctionScanner): Set<number> {
  const joins = new Set<number>([target.start, ...target.entries, ...target.labels]);
  const { rows } = scanner;
  for (let row = 0; row < rows.count; row++) {
    const kind = flowOf[rows.code(row)] ?? 0;
    if (kind === flow.jump || kind === flow.branch || kind === flow.transaction) {
      joins.add(rows.displacement(row));
    }
  }
  return joins;
}

function constantsBefore(
  call: number,
  scanner: FunctionScanner,
  joins: ReadonlySet<number>,
): Map<number, number> {
  const { rows } = scanner;
  const values = new Map<number, number>();
  const written = new Set<number>();
  let at = call;
  let row = scanner.rowOf(call);
  for (let steps = 0; steps < MAX_BACK && row > 0 && !joins.has(at); steps++) {
    const before = row - 1;
    if (rows.next(before) !== at || scanner.rowOf(rows.address(before)) !== before) break;
    const code = rows.code(before);
    const kind = flowOf[code] ?? 0;
    const mnemonic = mnemonicOf[code] ?? 0;
    if (kind === flow.next) {
      if (!plain.has(mnemonic)) break;
      const register =
        rows.kind(before, 0) === operandKind.register && !onlyReads.has(mnemonic)
          ? (fullRegister[rows.register(before, 0)] ?? -1)
          : -1;
      if (register >= 0 && !written.has(register)) {
        written.add(register);
        const value = constantWritten(rows, before, mnemonic);
        if (value !== undefined && argumentRegisters.includes(register)) values.set(register, value);
      }
    } else if (kind !== flow.branch) break;
    row = before;
    at = rows.address(before);
  }
  return values;
}

function constantWritten(rows: FunctionScanner['rows'], row: number, mnemonic: number): number | undefined {
  const bits = registerWidth[rows.register(row, 0)] ?? 0;
  if (bits !== 32 && bits !== 64) return undefined;
  const kind = rows.kind(row, 1);
  if (mnemonic === Mnemonic.Xor) {
    const same = kind === operandKind.register && rows.register(row, 1) === rows.register(row, 0);
    return same ? 0 : undefined;
  }
  if (mnemonic !== Mnemonic.Mov || kind === operandKind.register || kind === operandKind.memory)
    return undefined;
  const value = rows.immediate(row, kind);
  const number = bits === 32 ? value >>> 0 : value;
  return Number.isSafeInteger(number) ? number : undefined;
}
