import { iced } from './iced.js';
import { Code, FlowControl, Mnemonic, OpKind } from './iced-numbers.js';

/** Words kept of each instruction: bytes 8 to 48 of iced's own record. */
export const STRIDE = 10;

/** How control goes on after an instruction. */
export const flow = {
  next: FlowControl.Next,
  jump: FlowControl.UnconditionalBranch,
  indirectJump: FlowControl.IndirectBranch,
  branch: FlowControl.ConditionalBranch,
  return: FlowControl.Return,
  call: FlowControl.Call,
  indirectCall: FlowControl.IndirectCall,
  interrupt: FlowControl.Interrupt,
  transaction: FlowControl.XbeginXabortXend,
  exception: FlowControl.Exception,
} as const;

export const operandKind = {
  register: OpKind.Register,
  nearBranch: OpKind.NearBranch64,
  immediate8: OpKind.Immediate8,
  immediate16: OpKind.Immediate16,
  immediate32: OpKind.Immediate32,
  immediate64: OpKind.Immediate64,
  immediate8to16: OpKind.Immediate8to16,
  immediate8to32: OpKind.Immediate8to32,
  immediate8to64: OpKind.Immediate8to64,
  immediate32to64: OpKind.Immediate32to64,
  memory: OpKind.Memory,
} as const;

/** Decoded instructions as rows of 32-bit words, grown as needed and used again for each function. */
export class Instructions {
  words = new Uint32Array(4096 * STRIDE);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  /** Room for one more row. */
  reserve(): void {
    if ((this.count + 1) * STRIDE <= this.words.length) return;
    const larger = new Uint32Array(this.words.length * 2);
    larger.set(this.words);
    this.words = larger;
  }

  #word(index: number, word: number): number {
    return this.words[index * STRIDE + word] ?? 0;
  }

  /** Address of the following instruction. */
  next(index: number): number {
    return this.#word(index, 0) + this.#word(index, 1) * 0x1_0000_0000;
  }

  length(index: number): number {
    return (this.#word(index, 9) >>> 16) & 0xff;
  }

  address(index: number): number {
    return this.next(index) - this.length(index);
  }

  /** Branch target; or absolute address of a rip-relative operand; or displacement, sign-extended. */
  displacement(index: number): number {
    return this.#word(index, 2) + (this.#word(index, 3) | 0) * 0x1_0000_0000;
  }

  /** Whether the memory operand has the prefix of the fs segment, whose start is the thread pointer. */
  isThreadRelative(index: number): boolean {
    return ((this.#word(index, 5) >>> 5) & 7) === 5;
  }

  /** Kind (OpKind) of operand 0 to 3. */
  kind(index: number, operand: number): number {
    return (this.#word(index, 4) >>> (operand * 8)) & 0xff;
  }

  /** Kinds of all operands, a byte each; 0 when all are registers. */
  kinds(index: number): number {
    return this.#word(index, 4);
  }

  /** Register (iced's numbering) of operand 0 to 3. */
  register(index: number, operand: number): number {
    return (this.#word(index, 7) >>> (operand * 8)) & 0xff;
  }

  /** The immediate, sign-extended from 8, 16 or 32 bits where the instruction does so. */
  immediate(index: number, kind: number): number {
    const low = this.#word(index, 6);
    switch (kind) {
      case OpKind.Immediate8:
        return low & 0xff;
      case OpKind.Immediate16:
        return low & 0xffff;
      case OpKind.Immediate32:
        return low;
      case OpKind.Immediate64:
        return low + (this.#word(index, 2) | 0) * 0x1_0000_0000;
      default:
        return low | 0;
    }
  }

  code(index: number): number {
    return this.#word(index, 8) & 0xffff;
  }

  /** Base register of the memory operand (iced's numbering, 0 none). */
  base(index: number): number {
    return this.#word(index, 8) >>> 24;
  }

  /** log2 of the scale. */
  scale(index: number): number {
    return (this.#word(index, 8) >>> 16) & 0xff;
  }

  index(index: number): number {
    return this.#word(index, 9) & 0xff;
  }
}

/** TypeScript's enumerations have an entry for each name, and one back. */
const named = (numbers: Readonly<Record<string, number | string>>): [name: string, number: number][] =>
  Object.entries(numbers).filter((entry): entry is [string, number] => typeof entry[1] === 'number');

/** All codes by the names that iced gives them. */
export const codeNames: readonly (readonly [name: string, code: number])[] = named(iced.Code);
const mnemonicNames: readonly (readonly [name: string, mnemonic: number])[] = named(iced.Mnemonic);

/** Mnemonics by their names. */
export function mnemonicsNamed(pattern: RegExp): number[] {
  return mnemonicNames.flatMap(([name, mnemonic]) => (pattern.test(name) ? [mnemonic] : []));
}

const CODES = 8192;
/** FlowControl of each Code. */
export const flowOf = new Uint8Array(CODES);
/** Mnemonic of each Code. */
export const mnemonicOf = new Uint16Array(CODES);
/** Operand count of each Code. */
export const operandsOf = new Uint8Array(CODES);
/**
 * 1 for each Code that faults in every program: bytes that are no instruction, and privileged ones but for those
 * that a program may be given leave to use (ioperm(2), iopl(2)).
 */
export const faultsOf = new Uint8Array(CODES);

{
  const probe = new iced.Instruction();
  const permitted: ReadonlySet<number> = new Set([Mnemonic.In, Mnemonic.Out, Mnemonic.Cli, Mnemonic.Sti]);
  for (const [, value] of codeNames) {
    if (value >= CODES) continue;
    probe.code = value;
    flowOf[value] = probe.flowControl;
    mnemonicOf[value] = probe.mnemonic;
    operandsOf[value] = probe.opCount;
    faultsOf[value] =
      value === Code.INVALID || (probe.isPrivileged && !permitted.has(probe.mnemonic)) ? 1 : 0;
  }
  // In user mode `hlt` faults: compilers put it where control must never come.
  flowOf[Code.Hlt] = FlowControl.Exception;
  probe.free();
}
