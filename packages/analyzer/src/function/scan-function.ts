import type { CodeDecoder } from '../decode/decoder.js';
import { Mnemonic, Register } from '../decode/iced-numbers.js';
import { flow, flowOf, Instructions, mnemonicOf, operandKind, operandsOf } from '../decode/instructions.js';

/** How code refers to an address. */
export const reference = {
  call: 0,
  /** A jump or branch that leaves the function: a tail call, or a shared tail. */
  jump: 1,
  /** The address itself is computed (`lea`) or is an immediate. */
  address: 2,
  /** The word there is read or written. */
  memory: 3,
  callMemory: 4,
  jumpMemory: 5,
  /** Control runs over the function's end. */
  fall: 6,
} as const;

/** A function's code and what it refers to. */
export interface FunctionCode {
  readonly start: number;
  end: number;
  /** Where the extent comes from: an unwind entry or Go table (exact), or cut between known starts. */
  readonly exact: boolean;
  readonly landingPads: boolean;
  /** Addresses after `start` that code elsewhere calls or jumps to. */
  readonly entries: Set<number>;
  /** Addresses after `start` that a pointer leads to: nothing is known of the registers there. */
  readonly labels: Set<number>;
  /** Triples: kind (`reference`), address of the instruction, target. */
  references: number[];
  /** Addresses of `syscall` instructions. */
  syscalls: number[];
  /** Addresses of `int 0x80` and `sysenter`: calls by the 32-bit table. */
  legacyCalls: number[];
  indirectJump: boolean;
  /** No call, jump, symbol or table says that there is code: only pointers do, and they may mean data. */
  pointedOnly: boolean;
  /** Has a return instruction. */
  returns: boolean;
  /** Where it was cut between known starts: pairs of start and end that its own branches do not reach. */
  gaps: number[];
  /** Reached instructions. */
  instructions: number;
  /** A jump table of the function before may lead here: this function was cut out of that one. */
  cutFrom?: FunctionCode;
}

/** Where data addresses hide in code: only position-dependent files have them as immediates. */
export interface ImageRange {
  readonly low: number;
  readonly high: number;
}

/**
 * Where the large and medium code models reckon addresses from: an instruction has the distance from there as an
 * immediate of 64 bits, which no other code needs for a number so small (System V ABI for x86-64, 3.5).
 */
export interface RelativeImage extends ImageRange {
  /** Address of the global offset table. */
  readonly base: number;
}

const GROW = 65_536;

/** Finds reachable instructions of functions, one after the other, in shared buffers. */
export class FunctionScanner {
  readonly rows = new Instructions();
  /** Row + 1 by offset from the function's start; 0 where no instruction was decoded. */
  #rowAt = new Int32Array(GROW);
  #seen = new Uint8Array(GROW);
  readonly #stack: number[] = [];
  readonly #exits = new Set<number>();
  /** The last scanned function's end comes right after a call, without padding. */
  endsWithCall = false;
  #start = 0;
  #size = 0;
  readonly #relative: RelativeImage | undefined;

  constructor(relative?: RelativeImage) {
    this.#relative = relative;
  }

  /** Row of the reached instruction at `address`, or -1. */
  rowOf(address: number): number {
    const offset = address - this.#start;
    return offset >= 0 && offset < this.#size && this.#seen[offset] === 1
      ? (this.#rowAt[offset] ?? 0) - 1
      : -1;
  }

  /** Whether the last scanned function's code, as far as it was followed, includes the byte's instruction. */
  reached(address: number): boolean {
    return this.rowOf(address) >= 0;
  }

  #decode(decoder: CodeDecoder, from: number, to: number): void {
    const { rows } = this;
    const first = rows.count;
    decoder.decode(from, to, rows, (at) => (this.#rowAt[at - this.#start] ?? 0) !== 0);
    for (let row = first, at = from; row < rows.count; row++) {
      this.#rowAt[at - this.#start] = row + 1;
      at += rows.length(row);
    }
  }

  /**
   * Follows the code of `target` from its start, entries and labels; then, where a jump table or a landing
   * pad may lead to them, the parts not reached so far. Fills the function's findings.
   * @param absolute the image's range when addresses may be immediates and displacements
   * @returns where control goes on behind the end: there, or later if the end is inside an instruction. Not after
   * a call that the end follows, since compilers end functions with calls that never return
   */
  scan(target: FunctionCode, decoder: CodeDecoder, absolute: ImageRange | undefined): ReadonlySet<number> {
    const { rows } = this;
    const size = target.end - target.start;
    if (size > this.#rowAt.length) {
      this.#rowAt = new Int32Array(size + GROW);
      this.#seen = new Uint8Array(size + GROW);
    } else {
      this.#rowAt.fill(0, 0, size);
      this.#seen.fill(0, 0, size);
    }
    this.#start = target.start;
    this.#size = size;
    rows.clear();
    target.references = [];
    target.syscalls = [];
    target.legacyCalls = [];
    target.indirectJump = false;
    target.returns = false;
    target.instructions = 0;
    this.#decode(decoder, target.start, target.end);

    this.#exits.clear();
    this.endsWithCall = false;
    this.#follow(target, decoder, target.start, absolute);
    for (const entry of target.entries) this.#follow(target, decoder, entry, absolute);
    for (const label of target.labels) this.#follow(target, decoder, label, absolute);
    if (target.landingPads || target.indirectJump || target.cutFrom?.indirectJump) {
      for (let offset = 0; offset < size; ) {
        if (this.#seen[offset] === 1) {
          offset += Math.max(1, rows.length((this.#rowAt[offset] ?? 1) - 1));
          continue;
        }
        if ((this.#rowAt[offset] ?? 0) === 0) this.#decode(decoder, target.start + offset, target.end);
        const row = (this.#rowAt[offset] ?? 0) - 1;
        if (row < 0) break;
        if (isPadding(rows, row)) offset += Math.max(1, rows.length(row));
        else {
          this.#follow(target, decoder, target.start + offset, absolute);
          if (this.#seen[offset] === 0) offset++;
        }
      }
      if (target.cutFrom?.indirectJump) target.indirectJump = true;
    }
    target.gaps = target.exact ? [] : this.#gaps(target);
    return this.#exits;
  }

  #gaps(target: FunctionCode): number[] {
    const gaps: number[] = [];
    let from = -1;
    for (let offset = 0; offset < this.#size; ) {
      if (this.#seen[offset] === 1) {
        if (from >= 0) gaps.push(target.start + from, target.start + offset);
        from = -1;
        offset += Math.max(1, this.rows.length((this.#rowAt[offset] ?? 1) - 1));
      } else {
        if (from < 0) from = offset;
        offset++;
      }
    }
    if (from >= 0) gaps.push(target.start + from, target.end);
    return gaps;
  }

  /** Marks everything that branches lead to from `from`. */
  #follow(target: FunctionCode, decoder: CodeDecoder, from: number, absolute: ImageRange | undefined): void {
    const { rows } = this;
    const { start, end } = target;
    const stack = this.#stack;
    stack.push(from);
    while (stack.length > 0) {
      let at = stack.pop() ?? 0;
      let afterCall = false;
      let padded = false;
      for (;;) {
        const offset = at - start;
        if (at >= end) {
          if (!afterCall || at > end) this.#exits.add(at);
          else if (!padded) this.endsWithCall = true;
          break;
        }
        if (this.#seen[offset] === 1) break;
        let row = (this.#rowAt[offset] ?? 0) - 1;
        if (row < 0) {
          this.#decode(decoder, at, end);
          row = (this.#rowAt[offset] ?? 0) - 1;
          if (row < 0) break;
        }
        this.#seen[offset] = 1;
        target.instructions++;
        const code = rows.code(row);
        const flowKind = flowOf[code] ?? 0;
        const next = at + rows.length(row);
        // Padding after a call is no sign that the call returns.
        padded = isPadding(rows, row);
        if (!padded) afterCall = false;
        if (flowKind !== flow.next) {
          if (flowKind === flow.exception) break;
          if (flowKind === flow.return) {
            target.returns = true;
            break;
          }
          if (flowKind === flow.interrupt) {
            if (mnemonicOf[code] === Mnemonic.Int && rows.immediate(row, operandKind.immediate8) === 0x80) {
              target.legacyCalls.push(at);
            } else if (mnemonicOf[code] === Mnemonic.Int3) break;
          } else if (flowKind === flow.call) {
            const mnemonic = mnemonicOf[code];
            if (mnemonic === Mnemonic.Syscall) target.syscalls.push(at);
            else if (mnemonic === Mnemonic.Sysenter) target.legacyCalls.push(at);
            else {
              target.references.push(reference.call, at, rows.displacement(row));
              afterCall = true;
            }
          } else if (flowKind === flow.indirectCall) {
            this.#operands(target, row, at, absolute, reference.callMemory);
            afterCall = true;
          } else if (flowKind === flow.indirectJump) {
            this.#operands(target, row, at, absolute, reference.jumpMemory);
            if (!(rows.kind(row, 0) === operandKind.memory && rows.base(row) === Register.RIP)) {
              target.indirectJump = true;
            }
            break;
          } else if (flowKind === flow.jump || flowKind === flow.branch || flowKind === flow.transaction) {
            const to = rows.displacement(row);
            if (to >= start && to < end) stack.push(to);
            else target.references.push(reference.jump, at, to);
            if (flowKind === flow.jump) break;
          }
        } else {
          this.#operands(target, row, at, absolute, reference.memory);
        }
        at = next;
      }
    }
  }

  /** Notes the addresses among an instruction's operands. */
  #operands(
    target: FunctionCode,
    row: number,
    at: number,
    absolute: ImageRange | undefined,
    memoryKind: number,
  ): void {
    const { rows } = this;
    const code = rows.code(row);
    const operands = operandsOf[code] ?? 0;
    for (let i = 0; i < operands && i < 4; i++) {
      const kind = rows.kind(row, i);
      if (kind === operandKind.memory) {
        const relative = rows.base(row) === Register.RIP;
        if (!relative && absolute === undefined) continue;
        const address = rows.displacement(row);
        if (!relative && !(absolute && address >= absolute.low && address < absolute.high)) continue;
        const mnemonic = mnemonicOf[code];
        if (mnemonic === Mnemonic.Nop) continue;
        // With an index or base register the displacement is a table's start, not the word that is used.
        const exact = relative && mnemonic !== Mnemonic.Lea;
        target.references.push(exact ? memoryKind : reference.address, at, address);
        continue;
      }
      if (this.#relative && kind === operandKind.immediate64) {
        const { base, low, high } = this.#relative;
        const to = base + rows.immediate(row, kind);
        if (to >= low && to < high) target.references.push(reference.address, at, to);
      }
      if (absolute && kind >= operandKind.immediate32 && kind !== operandKind.immediate8to16) {
        if (
          kind !== operandKind.immediate32 &&
          kind !== operandKind.immediate64 &&
          kind !== operandKind.immediate32to64
        ) {
          continue;
        }
        const value = rows.immediate(row, kind);
        if (value >= absolute.low && value < absolute.high) {
          target.references.push(reference.address, at, value);
        }
      }
    }
  }
}

/** What assemblers and compilers put between functions. */
export function isPadding(rows: Instructions, row: number): boolean {
  const code = rows.code(row);
  const mnemonic = mnemonicOf[code];
  if (mnemonic === Mnemonic.Nop || mnemonic === Mnemonic.Int3) return true;
  return mnemonic === Mnemonic.Xchg && rows.register(row, 0) === rows.register(row, 1);
}
