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
  entries: ReadonlySet<number>;
  /** Addresses after `start` that a pointer leads to: nothing is known of the registers there. */
  labels: ReadonlySet<number>;
  /** Triples: kind (`reference`), address of the instruction, target. */
  references: readonly number[];
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
  gaps: readonly number[];
  /** Reached instructions. */
  instructions: number;
  /** By address of a call that was asked for: constants it hands over, by register. */
  constants?: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** A jump table of the function before may lead here: this function was cut out of that one. */
  cutFrom?: FunctionCode;
}

/** Calls with a function's references one after the other, as `references` has them. */
export function eachReference(
  { references }: Pick<FunctionCode, 'references'>,
  visit: (kind: number, at: number, to: number) => void,
): void {
  for (let i = 0; i < references.length; i += 3) {
    visit(references[i] ?? 0, references[i + 1] ?? 0, references[i + 2] ?? 0);
  }
}

/** Whether control leads there, with what is in the registers. */
export const handsOver = (kind: number): boolean => kind !== reference.address && kind !== reference.memory;

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
const none: readonly number[] = [];

/** Finds reachable instructions of functions, one after the other, in shared buffers. */
export class FunctionScanner {
  readonly rows = new Instructions();
  /**
   * By offset from the function's start: 0 where no instruction was decoded, row + 1 of one that was, and its
   * negative once control has been seen to come there.
   */
  #rowAt = new Int32Array(GROW);
  /** References of the function that is scanned, and how many numbers of them are its own. */
  readonly #references: number[] = [];
  #referenceCount = 0;
  readonly #stack: number[] = [];
  readonly #exits = new Set<number>();
  /** The last scanned function's end comes right after a call, without padding. */
  endsWithCall = false;
  #start = 0;
  #size = 0;
  #absolute: ImageRange | undefined;
  readonly #followed = new Map<CodeDecoder, Uint8Array>();
  readonly #relative: RelativeImage | undefined;

  constructor(relative?: RelativeImage) {
    this.#relative = relative;
  }

  /** Row of the reached instruction at `address`, or -1. */
  rowOf(address: number): number {
    const offset = address - this.#start;
    if (offset < 0 || offset >= this.#size) return -1;
    const reached = -(this.#rowAt[offset] ?? 0);
    return reached > 0 ? reached - 1 : -1;
  }

  /**
   * Whether the last scan that included the address came there as to an instruction, from the function's start or
   * an entry: another entry there would change nothing.
   */
  isFollowed(decoder: CodeDecoder, address: number): boolean {
    const bit = address - decoder.start;
    return (((this.#followed.get(decoder)?.[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
  }

  /** One bit a byte of code. */
  #followedIn(decoder: CodeDecoder): Uint8Array {
    let bits = this.#followed.get(decoder);
    if (!bits) {
      bits = new Uint8Array(((decoder.end - decoder.start) >>> 3) + 1);
      this.#followed.set(decoder, bits);
    }
    return bits;
  }

  /**
   * Follows the code of `target` from its start, entries and labels; then, where a jump table or a landing
   * pad may lead to them, the parts not reached so far. Fills the function's findings.
   * @param absolute the image's range when addresses may be immediates and displacements
   * @returns where control goes on behind the end: there, or later if the end is inside an instruction. Not after
   * a call that the end follows, since compilers end functions with calls that never return. Good until the next scan
   */
  scan(target: FunctionCode, decoder: CodeDecoder, absolute: ImageRange | undefined): Set<number> {
    const { rows } = this;
    const size = target.end - target.start;
    if (size > this.#rowAt.length) this.#rowAt = new Int32Array(size + GROW);
    else this.#rowAt.fill(0, 0, size);
    this.#start = target.start;
    this.#size = size;
    this.#absolute = absolute;
    this.#referenceCount = 0;
    rows.clear();
    target.syscalls = [];
    target.legacyCalls = [];
    target.indirectJump = false;
    target.returns = false;
    target.instructions = 0;
    decoder.decode(target.start, target.end, rows, this.#rowAt, target.start);

    this.#exits.clear();
    this.endsWithCall = false;
    const bits = this.#followedIn(decoder);
    clearBits(bits, target.start - decoder.start, target.end - decoder.start);
    this.#follow(target, decoder, target.start, bits);
    if (target.entries.size > 0) {
      for (const entry of target.entries) this.#follow(target, decoder, entry, bits);
    }
    if (target.labels.size > 0) {
      for (const label of target.labels) this.#follow(target, decoder, label, undefined);
    }
    if (target.landingPads || target.indirectJump || target.cutFrom?.indirectJump) {
      for (let offset = 0; offset < size; ) {
        if ((this.#rowAt[offset] ?? 0) < 0) {
          offset += Math.max(1, rows.length(-(this.#rowAt[offset] ?? 0) - 1));
          continue;
        }
        if (this.#rowAt[offset] === 0) {
          decoder.decode(target.start + offset, target.end, rows, this.#rowAt, target.start);
        }
        const row = (this.#rowAt[offset] ?? 0) - 1;
        if (row < 0) break;
        if (isPadding(rows, row)) offset += Math.max(1, rows.length(row));
        else {
          this.#follow(target, decoder, target.start + offset, undefined);
          if ((this.#rowAt[offset] ?? 0) >= 0) offset++;
        }
      }
      if (target.cutFrom?.indirectJump) target.indirectJump = true;
    }
    target.references = this.#references.slice(0, this.#referenceCount);
    target.gaps = target.exact ? none : this.#gaps(target);
    return this.#exits;
  }

  /** Functions have few references or thousands; collecting them in one place saves growing as many arrays. */
  #refer(kind: number, at: number, to: number): void {
    this.#references[this.#referenceCount++] = kind;
    this.#references[this.#referenceCount++] = at;
    this.#references[this.#referenceCount++] = to;
  }

  #gaps(target: FunctionCode): number[] {
    const gaps: number[] = [];
    let from = -1;
    for (let offset = 0; offset < this.#size; ) {
      const reached = -(this.#rowAt[offset] ?? 0);
      if (reached > 0) {
        if (from >= 0) gaps.push(target.start + from, target.start + offset);
        from = -1;
        offset += Math.max(1, this.rows.length(reached - 1));
      } else {
        if (from < 0) from = offset;
        offset++;
      }
    }
    if (from >= 0) gaps.push(target.start + from, target.end);
    return gaps;
  }

  /**
   * Marks everything that branches lead to from `from`.
   * @param followed notes the instructions as well
   */
  #follow(target: FunctionCode, decoder: CodeDecoder, from: number, followed: Uint8Array | undefined): void {
    const { rows } = this;
    const { start, end } = target;
    const rowAt = this.#rowAt;
    const stack = this.#stack;
    const firstBit = start - decoder.start;
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
        const known = rowAt[offset] ?? 0;
        if (known < 0) break;
        let row = known - 1;
        if (row < 0) {
          decoder.decode(at, end, rows, rowAt, start);
          row = (rowAt[offset] ?? 0) - 1;
          if (row < 0) break;
        }
        rowAt[offset] = -row - 1;
        if (followed) {
          const bit = firstBit + offset;
          followed[bit >>> 3] = (followed[bit >>> 3] ?? 0) | (1 << (bit & 7));
        }
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
              this.#refer(reference.call, at, rows.displacement(row));
              afterCall = true;
            }
          } else if (flowKind === flow.indirectCall) {
            this.#operands(row, at, reference.callMemory);
            afterCall = true;
          } else if (flowKind === flow.indirectJump) {
            this.#operands(row, at, reference.jumpMemory);
            if (!(rows.kind(row, 0) === operandKind.memory && rows.base(row) === Register.RIP)) {
              target.indirectJump = true;
            }
            break;
          } else if (flowKind === flow.jump || flowKind === flow.branch || flowKind === flow.transaction) {
            const to = rows.displacement(row);
            if (to >= start && to < end) stack.push(to);
            else this.#refer(reference.jump, at, to);
            if (flowKind === flow.jump) break;
          }
        } else {
          this.#operands(row, at, reference.memory);
        }
        at = next;
      }
    }
  }

  /** Notes the addresses among an instruction's operands. */
  #operands(row: number, at: number, memoryKind: number): void {
    const { rows } = this;
    const absolute = this.#absolute;
    // Most instructions have no address at all.
    if (absolute ? rows.kinds(row) === 0 : !this.#relative && rows.base(row) !== Register.RIP) return;
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
        this.#refer(exact ? memoryKind : reference.address, at, address);
        continue;
      }
      if (this.#relative && kind === operandKind.immediate64) {
        const { base, low, high } = this.#relative;
        const to = base + rows.immediate(row, kind);
        if (to >= low && to < high) this.#refer(reference.address, at, to);
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
          this.#refer(reference.address, at, value);
        }
      }
    }
  }
}

/** What assemblers and compilers put between functions. */
export function isPadding(rows: Instructions, row: number): boolean {
  const mnemonic = mnemonicOf[rows.code(row)];
  if (mnemonic === Mnemonic.Nop || mnemonic === Mnemonic.Int3) return true;
  return mnemonic === Mnemonic.Xchg && rows.register(row, 0) === rows.register(row, 1);
}

function clearBits(bits: Uint8Array, from: number, to: number): void {
  let bit = from;
  for (; bit < to && (bit & 7) !== 0; bit++) bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) & ~(1 << (bit & 7));
  bits.fill(0, bit >>> 3, Math.max(bit, to) >>> 3);
  for (bit = Math.max(bit, to & ~7); bit < to; bit++)
    bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) & ~(1 << (bit & 7));
}
