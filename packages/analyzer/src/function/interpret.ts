import { Mnemonic, Register } from '../decode/iced-numbers.js';
import { memoryAccess } from '../decode/memory-access.js';
import {
  codeNames,
  flow,
  flowOf,
  type Instructions,
  mnemonicOf,
  mnemonicsNamed,
  operandKind,
  operandsOf,
} from '../decode/instructions.js';
import { fullRegister, r11, rax, rbp, rcx, rdi, rdx, registerWidth, rsi, rsp } from '../decode/registers.js';
import { branchRanges } from './branch-ranges.js';
import { type FlowGraph, flowGraph } from './flow-graph.js';
import type { GoFunction } from './go-table.js';
import { type Comparison, MachineState } from './machine-state.js';
import { includes, intersect, type Ranges, shift } from './ranges.js';
import type { FunctionCode, FunctionScanner } from './scan-function.js';
import { constraintKey, cut, isLowMask, LOW_HALF, type Term, type Terms } from './term.js';
import {
  type Atom,
  combineConstants,
  constant,
  constantsOf,
  decodeAtom,
  fileAddress,
  join,
  lowConstant,
  lowHalf,
  mapAtoms,
  mapConstants,
  onlyAtom,
  plus,
  signExtended,
  stackOffsetOf,
  tableEntry,
  termValue,
  threadOffset,
  type Value,
} from './value.js';
import { Worklist } from './worklist.js';

/** Blocks are visited at most this often on average; beyond, the answer is "not decided". */
const MAX_VISITS = 48;
/** After so many visits of a block, values that still change become unknown. */
const VISITS_BEFORE_WIDENING = 8;
/** Times that a newly seen pointer into the stack may start the whole function again. */
const MAX_RESTARTS = 12;

/** Stack bytes lent to a Go function that are forgotten one by one. */
const MAX_LENT = 4096;

/** Masks up to this leave a set small enough to keep. */
const MAX_SMALL_MASK = 7;

const callClobbered = [0, 1, 2, 6, 7, 8, 9, 10, 11];

/** Registers written besides the operands. */
const implicitWrites = new Map<number, readonly number[]>([
  [Mnemonic.Mul, [rax, rdx]],
  [Mnemonic.Imul, [rax, rdx]],
  [Mnemonic.Div, [rax, rdx]],
  [Mnemonic.Idiv, [rax, rdx]],
  [Mnemonic.Cpuid, [rax, 3, rcx, rdx]],
  [Mnemonic.Rdtsc, [rax, rdx]],
  [Mnemonic.Rdtscp, [rax, rcx, rdx]],
  [Mnemonic.Rdpmc, [rax, rdx]],
  [Mnemonic.Xgetbv, [rax, rdx]],
  [Mnemonic.Rdpkru, [rax, rdx]],
  [Mnemonic.Cmpxchg, [rax]],
  [Mnemonic.Cmpxchg8b, [rax, rdx]],
  [Mnemonic.Cmpxchg16b, [rax, rdx]],
  [Mnemonic.Cwd, [rdx]],
  [Mnemonic.Cdq, [rdx]],
  [Mnemonic.Cqo, [rdx]],
  [Mnemonic.Cbw, [rax]],
  [Mnemonic.Cwde, [rax]],
  [Mnemonic.Cdqe, [rax]],
  [Mnemonic.Lahf, [rax]],
  [Mnemonic.Xlatb, [rax]],
  [Mnemonic.In, [rax]],
  [Mnemonic.Xbegin, [rax]],
  [Mnemonic.Loop, [rcx]],
  [Mnemonic.Loope, [rcx]],
  [Mnemonic.Loopne, [rcx]],
  [Mnemonic.Pcmpestri, [rcx]],
  [Mnemonic.Pcmpistri, [rcx]],
  [Mnemonic.Vpcmpestri, [rcx]],
  [Mnemonic.Vpcmpistri, [rcx]],
  [Mnemonic.Enter, [rsp, rbp]],
  ...[Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq].map((m) => [m, [rax, rsi]] as const),
  ...[Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq].map((m) => [m, [rdi, rcx]] as const),
  ...[Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq].map((m) => [m, [rdi, rcx]] as const),
  ...[Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq].map(
    (m) => [m, [rsi, rdi, rcx]] as const,
  ),
  ...[Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpsq].map(
    (m) => [m, [rsi, rdi, rcx]] as const,
  ),
  ...[Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd].map((m) => [m, [rdi, rcx]] as const),
  ...[Mnemonic.Outsb, Mnemonic.Outsw, Mnemonic.Outsd].map((m) => [m, [rsi, rcx]] as const),
]);

/** String stores write where rdi points; they have no ordinary memory operand. */
const stringStores = new Set<number>([
  ...[Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq],
  ...[Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq],
  ...[Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd],
]);

/** Instructions that only look at their operands. */
const readers = new Set<number>([
  Mnemonic.Cmp,
  Mnemonic.Test,
  Mnemonic.Nop,
  Mnemonic.Bt,
  Mnemonic.Ptest,
  Mnemonic.Vptest,
  Mnemonic.Ucomiss,
  Mnemonic.Ucomisd,
  Mnemonic.Comiss,
  Mnemonic.Comisd,
  Mnemonic.Endbr64,
  Mnemonic.Pause,
  Mnemonic.Prefetcht0,
  Mnemonic.Prefetcht1,
  Mnemonic.Prefetcht2,
  Mnemonic.Prefetchnta,
  Mnemonic.Prefetchw,
  Mnemonic.Mfence,
  Mnemonic.Lfence,
  Mnemonic.Sfence,
]);

/** Instructions that leave the flags as they are; others count as changing them. */
const keepsFlags = new Set<number>([
  Mnemonic.Mov,
  Mnemonic.Movzx,
  Mnemonic.Movsx,
  Mnemonic.Movsxd,
  Mnemonic.Movaps,
  Mnemonic.Movups,
  Mnemonic.Movdqa,
  Mnemonic.Movdqu,
  Mnemonic.Movq,
  Mnemonic.Movd,
  Mnemonic.Lea,
  Mnemonic.Push,
  Mnemonic.Pop,
  Mnemonic.Nop,
  Mnemonic.Not,
  Mnemonic.Xchg,
  Mnemonic.Cdqe,
  Mnemonic.Cwde,
  Mnemonic.Leave,
]);

const conditionalMoves = new Set(mnemonicsNamed(/^Cmov[a-z]+$/));
const conditionalSets = new Set(mnemonicsNamed(/^Set(?!ssbsy)[a-z]{1,2}$/));
for (const mnemonic of [...conditionalMoves, ...conditionalSets]) keepsFlags.add(mnemonic);

/** What is known of memory outside the function, and the file's terms. */
export interface Memory {
  readonly terms: Terms;
  /** Whether a parameter that was found equal to a constant stays one, with a condition on it. */
  readonly keepsParameters: boolean;
  /** A word at a fixed address, of `width` bytes, when it is a cell. */
  cellAt(address: number, width: number): string | undefined;
  /** The same for the thread-local variable at `offset` in the TLS segment. */
  threadCellAt(offset: number, width: number): string | undefined;
  /** Offset in the TLS segment of the variable whose distance from the thread pointer the loader puts there. */
  threadSlot(address: number): number | undefined;
  /** A field of the object that a parameter of the function points to. */
  fieldAt(register: number, offset: number, width: number): string | undefined;
  /** A word of the one object that the only atom of a pointer leads to. */
  recordAt(base: Atom, offset: number, width: number): string | undefined;
  /** Entry of a table of distances, or undefined outside the file's constant data. */
  tableEntry(table: number, index: number): number | undefined;
}

/** Instructions between a copy of the stack pointer and its use, and what they may be. */
const MAX_STACK_SIZE_STEPS = 12;
const reckons: ReadonlySet<number> = new Set([
  Mnemonic.Mov,
  Mnemonic.Lea,
  Mnemonic.Add,
  Mnemonic.Sub,
  Mnemonic.And,
]);

/** A process without privileges maps nothing below (Documentation/admin-guide/sysctl/vm.rst, mmap_min_addr). */
const LOWEST_MAPPED = 4096;
const notNull: Ranges = [Number.NEGATIVE_INFINITY, -1, 1, Number.POSITIVE_INFINITY];

/** `registerWidth` of ah, ch, dh and bh. */
const HIGH_BYTE = 9;

/** Numbers that describe which cases lead to one place. */
const MAX_CASE_RANGES = 64;

/** Cases of a jump table that are followed one by one. */
const MAX_CASES = 512;

/** A jump table's load: the distance from `table` for what `index` may be. */
interface TableLoad {
  readonly table: number;
  readonly index: Value;
}

/** Blocks that may still be interpreted in a file: a hostile one must not cost minutes. Counted down. */
export interface Effort {
  blocks: number;
}

/** More than three times what Debian 12's libc takes, which takes the most of all its files: 88,000. */
export const effortOfFile = (): Effort => ({ blocks: 300_000 });

/** Address of an instruction → state before it. */
export type Observations = ReadonlyMap<number, MachineState>;

/**
 * Abstract interpretation of the function that `scanner` scanned last, forward, over sets of `Value`s.
 * @param watched instructions whose incoming state is wanted
 * @param tableTargets where its jump tables lead
 * @param neverReturning starts of functions that do not come back
 * @param goFunctions those of Go's convention, by start
 * @param effort what the file has left; shared by all its functions
 * @param memory gives terms for loads, and conditions; without it only numbers come out
 * @returns the joined state before each watched instruction, or undefined when it took too long
 */
export function interpret(
  target: FunctionCode,
  scanner: FunctionScanner,
  watched: ReadonlySet<number>,
  tableTargets: ReadonlySet<number>,
  neverReturning: ReadonlySet<number>,
  goFunctions: ReadonlyMap<number, GoFunction>,
  effort: Effort,
  memory?: Memory,
): Observations | undefined {
  const graph = flowGraph(target, scanner, tableTargets, neverReturning);
  let escaped = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < MAX_RESTARTS; attempt++) {
    // From the second half on, every slot counts as reachable by pointers, and nothing can escape further.
    if (attempt === MAX_RESTARTS / 2) escaped = Number.NEGATIVE_INFINITY;
    const run = new Interpretation(
      target,
      scanner,
      graph,
      watched,
      tableTargets,
      neverReturning,
      goFunctions,
      escaped,
      effort,
      memory,
    );
    if (!run.solve()) return undefined;
    if (run.escaped >= escaped) return run.observed;
    escaped = run.escaped;
  }
  return undefined;
}

/** One pass to the fixpoint, with a fixed assumption of which stack slots pointers may reach. */
class Interpretation {
  readonly observed = new Map<number, MachineState>();
  escaped: number;
  readonly #assumed: number;
  readonly #isGo: boolean;
  readonly #rows: Instructions;
  /** By rank of the block: what holds at its head, and how often it has been run. */
  readonly #states: (MachineState | undefined)[];
  readonly #visits: Uint32Array;
  readonly #pending: Worklist;
  #indirect: MachineState | undefined;
  readonly #tables: TableLoad[] = [];

  constructor(
    private readonly target: FunctionCode,
    private readonly scanner: FunctionScanner,
    private readonly graph: FlowGraph,
    private readonly watched: ReadonlySet<number>,
    private readonly tableTargets: ReadonlySet<number>,
    private readonly neverReturning: ReadonlySet<number>,
    private readonly goFunctions: ReadonlyMap<number, GoFunction>,
    assumed: number,
    private readonly effort: Effort,
    private readonly memory: Memory | undefined,
  ) {
    this.#isGo = goFunctions.has(target.start);
    this.#rows = scanner.rows;
    this.#assumed = assumed;
    this.escaped = assumed;
    const blocks = graph.heads.length;
    this.#states = new Array<MachineState | undefined>(blocks).fill(undefined);
    this.#visits = new Uint32Array(blocks);
    this.#pending = new Worklist(blocks);
  }

  solve(): boolean {
    const { target } = this;
    const { addresses, heads } = this.graph;
    this.#enter(target.start, MachineState.atEntry(), true);
    for (const entry of target.entries) this.#enter(entry, MachineState.atEntry(), true);
    for (const label of target.labels) this.#enter(label, MachineState.unknown(), true);
    let budget = (heads.length + 4) * MAX_VISITS;
    const settle = (): boolean => {
      for (let rank = this.#pending.take(); rank >= 0; rank = this.#pending.take()) {
        if (--budget < 0 || --this.effort.blocks < 0) return false;
        this.#runBlock(rank);
      }
      return true;
    };
    if (!settle()) return false;
    // What no branch reaches is reached through a jump table or by an exception.
    for (const at of addresses) {
      const rank = this.#rankAt(at);
      if (rank < 0 || this.#states[rank]) continue;
      this.#enter(at, MachineState.unknown(), true);
      if (!settle()) return false;
    }
    // The end of a piece that was not a head of anything.
    for (const at of this.watched) {
      if (!this.observed.has(at) && this.scanner.rowOf(at) >= 0)
        this.observed.set(at, MachineState.unknown());
    }
    return true;
  }

  /** Rank of the block that begins at an address, or -1. */
  #rankAt(at: number): number {
    const row = this.scanner.rowOf(at);
    return row < 0 ? -1 : (this.graph.rankOfRow[row] ?? -1);
  }

  /** @param isOwn nobody else has the state, nor will change it */
  #enter(at: number, state: MachineState, isOwn = false): void {
    const rank = this.#rankAt(at);
    if (rank < 0) return;
    const known = this.#states[rank];
    // Go code goes back to its start only after the stack has grown, with its arguments as they were.
    if (this.#isGo && known && at === this.target.start) return;
    if (!known) {
      this.#states[rank] = isOwn ? state : state.clone();
      this.#pending.add(rank);
    } else if (known.merge(state, (this.#visits[rank] ?? 0) > VISITS_BEFORE_WIDENING))
      this.#pending.add(rank);
  }

  #runBlock(rank: number): void {
    const rows = this.#rows;
    const { heads, rankOfRow } = this.graph;
    const state = this.#states[rank]?.clone();
    this.#visits[rank] = (this.#visits[rank] ?? 0) + 1;
    if (!state) return;
    let previous = -1;
    let at = heads[rank] ?? 0;
    for (let row = this.scanner.rowOf(at); row >= 0; ) {
      const kind = flowOf[rows.code(row)] ?? 0;
      const isBranch = kind === flow.branch || kind === flow.transaction;
      if (!isBranch) this.#observe(at, state);
      const next = at + rows.length(row);
      if (kind === flow.jump) {
        this.#enter(rows.displacement(row), state, true);
        return;
      }
      if (kind === flow.indirectJump) {
        if (!this.#leaveByCases(row, state)) this.#leaveByTable(state);
        return;
      }
      if (kind === flow.return || kind === flow.exception) return;
      if (kind === flow.call && this.neverReturning.has(rows.displacement(row))) return;
      if (isBranch) {
        // `loop` counts rcx down, `xbegin` sets rax on abort.
        for (const register of implicitWrites.get(mnemonicOf[rows.code(row)] ?? 0) ?? []) {
          state.registers[register] = null;
        }
        this.#branch(row, previous, state);
      } else this.#stepWithFlags(row, state);
      previous = row;
      at = next;
      row = this.scanner.rowOf(at);
      if ((rankOfRow[row] ?? -1) >= 0) {
        this.#enter(at, state, true);
        return;
      }
    }
  }

  #observe(at: number, state: MachineState): void {
    if (!this.watched.has(at)) return;
    const seen = this.observed.get(at);
    if (seen) seen.merge(state);
    else this.observed.set(at, state.clone());
  }

  /** Enters the target of a branch, which is what is observed of it; `state` becomes what holds after it. */
  #branch(row: number, previous: number, state: MachineState): void {
    const rows = this.#rows;
    const mnemonic = mnemonicOf[rows.code(row)] ?? 0;
    const taken = state.clone();
    const { flags } = state;
    const ranges = flags && this.memory && branchRanges(mnemonic, flags.right, flags.width);
    if (ranges) {
      this.#constrain(taken, flags, ranges.taken);
      this.#constrain(state, flags, ranges.passed);
    }
    const equal = this.#equality(previous, state);
    if (equal && ranges) {
      for (const [way, admitted] of [
        [taken, ranges.taken],
        [state, ranges.passed],
      ] as const) {
        const value = way.registers[equal.register] ?? null;
        way.registers[equal.register] = admittedConstants(value, admitted, flags.width);
      }
    }
    // The way on which the comparison held knows the register's value; where conditions are wanted they say so.
    const isSaid =
      this.memory?.keepsParameters === true &&
      flags !== undefined &&
      this.#termOf(flags.left)?.subject.kind === 'parameter';
    if (equal && !isSaid && mnemonic === Mnemonic.Je) taken.registers[equal.register] = equal.value;
    if (equal && !isSaid && mnemonic === Mnemonic.Jne) state.registers[equal.register] = equal.value;
    this.#observe(rows.address(row), taken);
    this.#enter(rows.displacement(row), taken, true);
  }

  /**
   * Notes what a comparison says of a term. A way that cannot be is followed all the same, with what was learnt
   * last: code that nothing enters would count as entered from somewhere unknown.
   */
  #constrain(state: MachineState, { left, width }: Comparison, ranges: Ranges): void {
    const others: Atom[] = [];
    for (const number of left ?? []) {
      const atom = decodeAtom(number);
      if (atom.kind !== 'constant') others.push(atom);
      // The constant may be what was compared: then nothing is learnt of the rest.
      else if (includes(ranges, width === 8 ? atom.value : cut(atom.value, 2 ** (8 * width) - 1))) return;
    }
    const term = others.length === 1 ? this.#termOfAtom(others[0]) : undefined;
    if (!term) return;
    const { subject, mask } = term;
    if (term.or !== undefined) return;
    if (mask !== undefined && term.plus !== 0 && !isLowMask(mask)) return;
    const inside = mask === undefined ? ranges : intersect(ranges, [0, mask]);
    const moved = shift(inside, term.plus, mask === undefined ? undefined : mask + 1);
    if (moved.length === 0) return;
    const key = constraintKey(term);
    const known = subject.kind === 'parameter' ? state.constraints.get(key)?.ranges : undefined;
    // A cell may have changed since it was loaded before: what held then is forgotten, not added to.
    const both = known ? intersect(known, moved) : moved;
    state.constrain(key, { subject, mask, ranges: both.length > 0 ? both : moved });
  }

  /** The term that a value is, when it is one and nothing else. */
  #termOf(value: Value): Term | undefined {
    return this.#termOfAtom(onlyAtom(value));
  }

  #termOfAtom(atom: Atom | undefined): Term | undefined {
    if (atom?.kind === 'term') return this.memory?.terms.get(atom.term);
    if (atom?.kind !== 'register' || atom.part === 'half') return undefined;
    return {
      subject: { kind: 'parameter', register: atom.register },
      plus: atom.plus,
      mask: atom.part === 'low' ? LOW_HALF : undefined,
    };
  }

  /** One instruction, and what it leaves in the flags. */
  #stepWithFlags(row: number, state: MachineState): void {
    if (!this.memory) {
      this.#step(row, state);
      return;
    }
    const mnemonic = mnemonicOf[this.#rows.code(row)] ?? 0;
    if (mnemonic === Mnemonic.Cmp || mnemonic === Mnemonic.Sub || mnemonic === Mnemonic.Test) {
      const comparison = this.#comparison(row, mnemonic, state);
      this.#step(row, state);
      state.flags = comparison;
    } else if (mnemonic === Mnemonic.And || mnemonic === Mnemonic.Or) {
      this.#step(row, state);
      const width = this.#width(row);
      const left = this.#read(row, 0, state, width);
      state.flags = left === null ? undefined : { left, right: 0, width };
    } else {
      this.#step(row, state);
      if (!keepsFlags.has(mnemonic)) state.flags = undefined;
    }
  }

  #comparison(row: number, mnemonic: number, state: MachineState): Comparison | undefined {
    const width = this.#width(row);
    const left = this.#read(row, 0, state, width);
    const rows = this.#rows;
    if (mnemonic === Mnemonic.Test) {
      const same =
        rows.kind(row, 0) === operandKind.register &&
        rows.kind(row, 1) === operandKind.register &&
        rows.register(row, 1) === rows.register(row, 0);
      if (same) return left === null ? undefined : { left, right: 0, width };
      const [mask, ...others] = constantsOf(this.#read(row, 1, state, width)) ?? [];
      if (mask === undefined || others.length > 0) return undefined;
      const masked = this.#masked(left, mask, width);
      return masked === null ? this.#highByteTest(row, mask, state) : { left: masked, right: 0, width };
    }
    if (left === null) return undefined;
    const right = constantsOf(this.#read(row, 1, state, width));
    return right?.length === 1 ? { left, right: right[0] ?? 0, width } : undefined;
  }

  /** A 32-bit value extended by its sign. Of a number only the low half is asked for: one that was loaded stays itself. */
  #extended(value: Value): Value {
    const isLoaded = this.memory?.keepsParameters === false && onlyAtom(value)?.kind === 'term';
    return isLoaded ? value : signExtended(value);
  }

  /** `test ah,2` looks at bit 9 of the register. */
  #highByteTest(row: number, mask: number, state: MachineState): Comparison | undefined {
    const rows = this.#rows;
    const register = rows.register(row, 0);
    if (rows.kind(row, 0) !== operandKind.register || registerWidth[register] !== HIGH_BYTE) return undefined;
    // Without its sign the byte compares like the part of the register that it is.
    if (mask <= 0 || mask > 0x7f) return undefined;
    const whole = state.registers[fullRegister[register] ?? -1] ?? null;
    const masked = this.#masked(lowHalf(whole), mask * 256, 4);
    return masked === null ? undefined : { left: masked, right: 0, width: 4 };
  }

  /** Some bits of a value; `null` when it is not known in a way that can be cut. */
  #masked(value: Value, mask: number, width: number): Value {
    const bits = width < 8 && mask < 0 ? mask + 2 ** (8 * width) : mask;
    if (bits < 0 || bits > LOW_HALF) return null;
    return mapAtoms(value, (atom) => {
      if (atom.kind === 'constant' || atom.kind === 'low-constant') {
        return constant((((atom.value % 0x1_0000_0000) + 0x1_0000_0000) & bits) >>> 0);
      }
      const { memory } = this;
      if (!memory) return null;
      if (atom.kind === 'register') {
        const subject = { kind: 'parameter', register: atom.register } as const;
        return termValue(memory.terms.intern({ subject, plus: atom.plus, mask: bits }));
      }
      if (atom.kind !== 'term') return null;
      const { or, ...term } = memory.terms.get(atom.term);
      const cut = { ...term, mask: term.mask === undefined ? bits : (term.mask & bits) >>> 0 };
      const set = or === undefined ? 0 : (or & bits) >>> 0;
      return termValue(memory.terms.intern(set === 0 ? cut : { ...cut, or: set }));
    });
  }

  /** A value of 32 bits with some of them set; `null` for what is neither a constant nor a term. */
  #withBits(value: Value, bits: number): Value {
    const { memory } = this;
    if (!memory || bits > LOW_HALF) return null;
    return mapAtoms(value, (atom) => {
      if (atom.kind === 'constant') return constant((atom.value | bits) >>> 0);
      const term = this.#termOfAtom(atom);
      if (!term || term.mask === undefined) return null;
      return termValue(memory.terms.intern({ ...term, or: ((term.or ?? 0) | bits) >>> 0 }));
    });
  }

  /** What `test r,r` or `cmp r,constant` compares, when the whole or lower half of r. */
  #equality(row: number, state: MachineState): { register: number; value: Value } | undefined {
    if (row < 0) return undefined;
    const rows = this.#rows;
    const mnemonic = mnemonicOf[rows.code(row)];
    if (mnemonic !== Mnemonic.Test && mnemonic !== Mnemonic.Cmp) return undefined;
    if (rows.kind(row, 0) !== operandKind.register) return undefined;
    const register = fullRegister[rows.register(row, 0)] ?? -1;
    const bits = registerWidth[rows.register(row, 0)] ?? 0;
    if (register < 0 || register === rsp || (bits !== 64 && bits !== 32)) return undefined;
    if (mnemonic === Mnemonic.Test) {
      const same =
        rows.kind(row, 1) === operandKind.register && rows.register(row, 1) === rows.register(row, 0);
      return same
        ? { register, value: this.#compared(0, bits, state.registers[register] ?? null) }
        : undefined;
    }
    const kind = rows.kind(row, 1);
    if (kind === operandKind.register || kind === operandKind.memory) return undefined;
    const value = rows.immediate(row, kind);
    return { register, value: this.#compared(value, bits, state.registers[register] ?? null) };
  }

  /** A register's value after it was found equal: a comparison of its low half says nothing of the other. */
  #compared(value: number, bits: number, before: Value): Value {
    if (bits === 64) return constant(value);
    const isCut = before?.every((number) => {
      const atom = decodeAtom(number);
      return atom.kind === 'term' || (atom.kind === 'register' && atom.part === 'low');
    });
    return isCut ? constant(value >>> 0) : lowConstant(value >>> 0);
  }

  /** A jump through a table by a term of few values: each target learns which of them lead to it. */
  #leaveByCases(row: number, state: MachineState): boolean {
    const { memory } = this;
    const rows = this.#rows;
    if (!memory || rows.kind(row, 0) !== operandKind.register) return false;
    const full = fullRegister[rows.register(row, 0)] ?? -1;
    const entry = onlyAtom(state.registers[full] ?? null);
    const load = entry?.kind === 'table' ? this.#tables[entry.table] : undefined;
    const atoms = load?.index?.map(decodeAtom) ?? [];
    const others = atoms.filter(({ kind }) => kind !== 'constant');
    const term = others.length === 1 ? this.#termOfAtom(others[0]) : undefined;
    if (!load || !term || term.or !== undefined || term.mask === undefined) return false;
    const key = constraintKey(term);
    const known = state.constraints.get(key)?.ranges ?? [];
    if (!((known[known.length - 1] ?? Number.POSITIVE_INFINITY) - (known[0] ?? 0) < MAX_CASES)) return false;
    /** By target: the term's values that lead there; undefined where it may have any. */
    const targets = new Map<number, number[] | undefined>();
    const targetOf = (index: number): number => {
      const distance = index >= 0 && index < MAX_CASES ? memory.tableEntry(load.table, index) : undefined;
      return distance === undefined ? -1 : load.table + distance;
    };
    for (let i = 0; i < known.length; i += 2) {
      for (let value = known[i] ?? 0; value <= (known[i + 1] ?? 0); value++) {
        const to = targetOf(value + term.plus);
        // A target that was not scanned would be lost.
        if (this.scanner.rowOf(to) < 0) return false;
        const values = targets.get(to);
        if (values?.[values.length - 1] === value - 1) values[values.length - 1] = value;
        else if (values) values.push(value, value);
        else targets.set(to, [value, value]);
      }
    }
    for (const atom of atoms) {
      if (atom.kind !== 'constant') continue;
      const to = targetOf(cut(atom.value, LOW_HALF));
      if (this.scanner.rowOf(to) < 0) return false;
      targets.set(to, undefined);
    }
    for (const [to, values] of targets) {
      const there = state.clone();
      const { subject, mask } = term;
      if (values !== undefined && values.length <= MAX_CASE_RANGES) {
        there.constrain(key, { subject, mask, ranges: values });
      }
      this.#enter(to, there, true);
    }
    return true;
  }

  #leaveByTable(state: MachineState): void {
    if (this.tableTargets.size === 0) return;
    if (!this.#indirect) this.#indirect = state.clone();
    else if (!this.#indirect.merge(state)) return;
    for (const to of this.tableTargets) this.#enter(to, this.#indirect);
  }

  /** Address of the memory operand as an offset in the stack, or undefined when it is or may be elsewhere. */
  #stackOperand(row: number, state: MachineState): number | undefined {
    const rows = this.#rows;
    if (rows.index(row) !== Register.None) return undefined;
    const base = fullRegister[rows.base(row)] ?? -1;
    if (base < 0) return undefined;
    const offset = stackOffsetOf(state.registers[base] ?? null);
    return offset === undefined ? undefined : offset + rows.displacement(row);
  }

  #read(row: number, operand: number, state: MachineState, width: number): Value {
    const rows = this.#rows;
    const kind = rows.kind(row, operand);
    if (kind === operandKind.register) {
      const register = rows.register(row, operand);
      const full = fullRegister[register] ?? -1;
      if (full < 0) return null;
      const value = state.registers[full] ?? null;
      const bits = registerWidth[register] ?? 0;
      if (bits === 64) return value;
      if (bits === 32) return lowHalf(value);
      if (bits === HIGH_BYTE) return mapConstants(value, (c) => Math.floor(c / 256) & 0xff);
      return this.#masked(value, bits === 8 ? 0xff : 0xffff, 8);
    }
    if (kind === operandKind.memory) {
      const offset = this.#stackOperand(row, state);
      if (offset === undefined) return this.#load(row, state, width);
      const value = state.load(offset, width);
      return width === 4 ? lowHalf(value) : width < 4 ? this.#masked(value, 2 ** (8 * width) - 1, 8) : value;
    }
    return constant(rows.immediate(row, kind));
  }

  /** A load from outside the stack: of a cell, of a field, or from the table of a jump. */
  #load(row: number, state: MachineState, width: number): Value {
    const { memory } = this;
    if (!memory) return null;
    const rows = this.#rows;
    const displacement = rows.displacement(row);
    const base = fullRegister[rows.base(row)] ?? -1;
    const hasIndex = rows.index(row) !== Register.None;
    if (rows.base(row) === Register.RIP) {
      const slot = memory.threadSlot(displacement);
      if (slot !== undefined) return width === 8 ? threadOffset(slot) : null;
      return this.#cell(memory.cellAt(displacement, width), width);
    }
    if (base < 0) return null;
    const at = state.registers[base] ?? null;
    if (hasIndex) {
      const table = onlyAtom(at);
      const index = state.registers[fullRegister[rows.index(row)] ?? -1] ?? null;
      if (table?.kind !== 'address' || width !== 4 || rows.scale(row) !== 2 || index === null) return null;
      this.#tables.push({ table: table.address + displacement, index });
      return tableEntry(this.#tables.length - 1);
    }
    if (rows.isThreadRelative(row)) {
      const variable = onlyAtom(at);
      if (variable?.kind !== 'thread') return null;
      return this.#cell(memory.threadCellAt(variable.offset + displacement, width), width);
    }
    for (const number of at ?? []) {
      const atom = decodeAtom(number);
      if (atom.kind !== 'register' || atom.part !== 'whole') continue;
      const field = memory.fieldAt(atom.register, atom.plus + displacement, width);
      if (field !== undefined) return this.#cell(field, width);
    }
    const record = onlyAtom(at);
    return record ? this.#cell(memory.recordAt(record, displacement, width), width) : null;
  }

  /** Whoever gets past an access through a cell's pointer had one there: nothing is ever mapped at 0. */
  #noteAccess(row: number, state: MachineState): void {
    const rows = this.#rows;
    const base = fullRegister[rows.base(row)] ?? -1;
    if (!this.memory || base < 0 || rows.index(row) !== Register.None || rows.isThreadRelative(row)) return;
    const term = this.#termOf(state.registers[base] ?? null);
    if (term?.subject.kind !== 'cell' || term.mask !== undefined || term.plus !== 0) return;
    const displacement = rows.displacement(row);
    if (displacement < 0 || displacement >= LOWEST_MAPPED) return;
    state.constrain(constraintKey(term), { subject: term.subject, mask: undefined, ranges: notNull });
  }

  #cell(cell: string | undefined, width: number): Value {
    if (cell === undefined || !this.memory) return null;
    const mask = width === 8 ? undefined : 2 ** (8 * width) - 1;
    return termValue(this.memory.terms.intern({ subject: { kind: 'cell', cell }, plus: 0, mask }));
  }

  #write(row: number, operand: number, state: MachineState, value: Value, width: number): void {
    const rows = this.#rows;
    if (rows.kind(row, operand) === operandKind.memory) {
      const offset = this.#stackOperand(row, state);
      if (offset !== undefined) state.store(offset, width, value);
      else this.#unknownStore(state);
      return;
    }
    const register = rows.register(row, operand);
    const full = fullRegister[register] ?? -1;
    if (full < 0) return;
    const bits = registerWidth[register] ?? 0;
    if (bits === 64) state.registers[full] = value;
    else if (bits === 32) state.registers[full] = lowHalf(value);
    else {
      const [mask, shift] = bits === 16 ? [0xffff, 0] : bits === HIGH_BYTE ? [0xff, 8] : [0xff, 0];
      state.registers[full] = combineConstants(state.registers[full] ?? null, value, (old, part) => {
        if (old < 0 || old > 0xffffffff) return Number.POSITIVE_INFINITY;
        return ((old & ~(mask << shift)) | ((part & mask) << shift)) >>> 0;
      });
    }
  }

  #unknownStore(state: MachineState): void {
    if (this.#assumed < Number.POSITIVE_INFINITY) state.forgetFrom(this.#assumed);
  }

  /**
   * A call by Go code (cmd/compile/abi-internal.md): no register survives but rsp, and the callee may write to
   * what it is lent above the return address.
   */
  #callGo(callee: number | undefined, state: MachineState): void {
    const stack = stackOffsetOf(state.registers[rsp] ?? null);
    for (let register = 0; register < 16; register++) {
      if (register !== rsp) state.registers[register] = null;
    }
    if (stack === undefined) return;
    const lent = callee === undefined ? undefined : this.goFunctions.get(callee)?.argumentBytes;
    state.forgetBelow(stack);
    if (lent === undefined) state.forgetFrom(stack);
    else if (lent > 0) state.forget(stack, Math.min(lent, MAX_LENT));
    if (lent !== undefined && lent > MAX_LENT) state.forgetFrom(stack + MAX_LENT);
  }

  /** Bytes that operand 0 or 1 says the instruction works on. */
  #width(row: number): number {
    const rows = this.#rows;
    for (let i = 0; i < 2; i++) {
      if (rows.kind(row, i) !== operandKind.register) continue;
      const bits = registerWidth[rows.register(row, i)] ?? 0;
      if (bits > 0) return bits === HIGH_BYTE ? 1 : bits / 8;
    }
    return memoryWidth(rows.code(row));
  }

  #step(row: number, state: MachineState): void {
    const rows = this.#rows;
    const code = rows.code(row);
    const mnemonic = mnemonicOf[code] ?? 0;
    const kind = flowOf[code] ?? 0;
    if (kind === flow.call || kind === flow.indirectCall) {
      if (mnemonic === Mnemonic.Syscall || mnemonic === Mnemonic.Sysenter) {
        for (const register of [rax, rcx, r11]) state.registers[register] = null;
      } else if (this.#isGo) {
        this.#callGo(kind === flow.call ? rows.displacement(row) : undefined, state);
      } else {
        for (const register of callClobbered) state.registers[register] = null;
        const stack = stackOffsetOf(state.registers[rsp] ?? null);
        if (stack !== undefined) state.forgetBelow(stack);
      }
      this.#unknownStore(state);
      return;
    }
    if (kind === flow.interrupt) {
      state.registers[rax] = null;
      return;
    }
    const { registers } = state;
    const width = this.#width(row);
    switch (mnemonic) {
      case Mnemonic.Mov:
        if (rows.kind(row, 0) === operandKind.register || rows.kind(row, 0) === operandKind.memory) {
          const value = this.#read(row, 1, state, width);
          this.#noteAccess(row, state);
          this.#write(row, 0, state, value, width);
          if (!this.#isStackSize(row)) this.#noteEscape(row, value);
        }
        return;
      case Mnemonic.Lea: {
        const base = fullRegister[rows.base(row)] ?? -1;
        const index = fullRegister[rows.index(row)] ?? -1;
        let value: Value;
        if (rows.base(row) === Register.RIP) value = this.memory ? fileAddress(rows.displacement(row)) : null;
        else {
          value = base >= 0 ? (registers[base] ?? null) : constant(0);
          if (index >= 0) {
            const scale = 2 ** rows.scale(row);
            const other = mapConstants(registers[index] ?? null, (c) => c * scale);
            if (base < 0 && scale === 1) value = registers[index] ?? null;
            else if (constantsOf(value)) value = combineConstants(value, other, (a, b) => a + b);
            else {
              // Into an array on the stack: the address stands for all of it.
              const offset = stackOffsetOf(value);
              if (offset !== undefined)
                this.escaped = Math.min(this.escaped, offset + rows.displacement(row));
              value = null;
            }
          }
          value = plus(value, rows.displacement(row), width);
        }
        this.#write(row, 0, state, value, width);
        if (!this.#isStackCheck(row, state)) this.#noteEscape(row, value);
        return;
      }
      case Mnemonic.Push: {
        const size = width === 2 ? 2 : 8;
        const value = this.#read(row, 0, state, 8);
        registers[rsp] = plus(registers[rsp] ?? null, -size);
        const offset = stackOffsetOf(registers[rsp] ?? null);
        if (offset !== undefined) state.store(offset, size, value);
        else this.#unknownStore(state);
        return;
      }
      case Mnemonic.Pop: {
        const offset = stackOffsetOf(registers[rsp] ?? null);
        const value = offset === undefined ? null : state.load(offset, 8);
        registers[rsp] = plus(registers[rsp] ?? null, width === 2 ? 2 : 8);
        this.#write(row, 0, state, value, 8);
        return;
      }
      case Mnemonic.Leave: {
        const offset = stackOffsetOf(registers[rbp] ?? null);
        registers[rsp] = plus(registers[rbp] ?? null, 8);
        registers[rbp] = offset === undefined ? null : state.load(offset, 8);
        return;
      }
      case Mnemonic.Xor:
      case Mnemonic.Sub:
        if (
          rows.kind(row, 0) === operandKind.register &&
          rows.kind(row, 1) === operandKind.register &&
          rows.register(row, 0) === rows.register(row, 1)
        ) {
          this.#write(row, 0, state, constant(0), width);
          return;
        }
        if (mnemonic === Mnemonic.Sub) this.#addConstant(row, state, width, -1);
        else this.#binary(row, state, width, (a, b) => bitwise(a, b, (x, y) => x ^ y));
        return;
      case Mnemonic.Add:
        this.#addConstant(row, state, width, 1);
        return;
      case Mnemonic.Inc:
        this.#write(row, 0, state, plus(this.#read(row, 0, state, width), 1, width), width);
        return;
      case Mnemonic.Dec:
        this.#write(row, 0, state, plus(this.#read(row, 0, state, width), -1, width), width);
        return;
      case Mnemonic.And: {
        const mask = constantsOf(this.#read(row, 1, state, width));
        const only = mask?.length === 1 ? (mask[0] ?? 0) : -1;
        if (only >= 0 && only <= MAX_SMALL_MASK && !constantsOf(this.#read(row, 0, state, width))) {
          // Whatever it was, few values are left.
          let value = constant(0);
          for (let bits = only; bits > 0; bits = (bits - 1) & only) value = join(value, constant(bits));
          this.#write(row, 0, state, value, width);
          return;
        }
        const masked =
          mask?.length === 1 ? this.#masked(this.#read(row, 0, state, width), mask[0] ?? 0, width) : null;
        if (masked !== null) this.#write(row, 0, state, masked, width);
        else this.#binary(row, state, width, (a, b) => bitwise(a, b, (x, y) => x & y));
        return;
      }
      case Mnemonic.Or: {
        const other = constantsOf(this.#read(row, 1, state, width));
        // `or r,-1` is a short way to set all bits.
        const bits = other?.length === 1 ? (other[0] ?? 0) : 0;
        const set = bits > 0 && width === 4 ? this.#withBits(this.#read(row, 0, state, width), bits) : null;
        if (bits === -1) this.#write(row, 0, state, constant(-1), width);
        else if (set !== null) this.#write(row, 0, state, set, width);
        else this.#binary(row, state, width, (a, b) => bitwise(a, b, (x, y) => x | y));
        return;
      }
      case Mnemonic.Shl:
        this.#binary(row, state, width, (a, b) => a * 2 ** (b & 31));
        return;
      case Mnemonic.Shr:
        this.#binary(row, state, width, (a, b) => (a < 0 ? Number.NaN : Math.floor(a / 2 ** (b & 31))));
        return;
      case Mnemonic.Neg:
        this.#write(
          row,
          0,
          state,
          mapConstants(this.#read(row, 0, state, width), (c) => -c),
          width,
        );
        return;
      case Mnemonic.Not:
        this.#write(
          row,
          0,
          state,
          mapConstants(this.#read(row, 0, state, width), (c) => -c - 1),
          width,
        );
        return;
      case Mnemonic.Sbb:
        if (
          rows.kind(row, 0) === operandKind.register &&
          rows.kind(row, 1) === operandKind.register &&
          rows.register(row, 0) === rows.register(row, 1)
        ) {
          this.#write(row, 0, state, join(constant(0), constant(-1)), width);
        } else this.#write(row, 0, state, null, width);
        return;
      case Mnemonic.Movsxd: {
        const value = this.#read(row, 1, state, 4);
        const table = onlyAtom(value)?.kind === 'table';
        this.#write(row, 0, state, table ? value : this.#extended(value), width);
        return;
      }
      case Mnemonic.Movzx: {
        const from = this.#sourceWidth(row);
        const value = this.#masked(this.#read(row, 1, state, from), from === 1 ? 0xff : 0xffff, 8);
        this.#write(row, 0, state, value, width);
        return;
      }
      case Mnemonic.Movsx: {
        const from = this.#sourceWidth(row);
        const shift = from === 1 ? 24 : 16;
        const value = mapConstants(this.#read(row, 1, state, from), (c) => (c << shift) >> shift);
        this.#write(row, 0, state, value, width);
        return;
      }
      case Mnemonic.Cdqe: {
        const value = registers[rax] ?? null;
        registers[rax] = this.#extended(value);
        return;
      }
      case Mnemonic.Imul:
        // With one operand it writes rdx and rax.
        if ((operandsOf[code] ?? 0) < 2) break;
        this.#write(row, 0, state, null, width);
        return;
      case Mnemonic.Xchg: {
        const [first, second] = [this.#read(row, 0, state, width), this.#read(row, 1, state, width)];
        this.#write(row, 0, state, second, width);
        this.#write(row, 1, state, first, width);
        return;
      }
      default:
    }
    if (conditionalMoves.has(mnemonic)) {
      this.#write(
        row,
        0,
        state,
        join(this.#read(row, 0, state, width), this.#read(row, 1, state, width)),
        width,
      );
      return;
    }
    if (conditionalSets.has(mnemonic)) {
      this.#write(row, 0, state, join(constant(0), constant(1)), 1);
      return;
    }
    if (readers.has(mnemonic)) return;
    for (const register of implicitWrites.get(mnemonic) ?? []) registers[register] = null;
    if (stringStores.has(mnemonic)) this.#unknownStore(state);
    const operands = Math.min(operandsOf[code] ?? 0, 2);
    for (let i = 0; i < operands; i++) {
      const operand = rows.kind(row, i);
      if (operand === operandKind.register) {
        const full = fullRegister[rows.register(row, i)] ?? -1;
        if (full >= 0) registers[full] = null;
      } else if (operand === operandKind.memory && i === 0) {
        const offset = this.#stackOperand(row, state);
        const { width: bytes } = memoryAccess(rows, row, i);
        if (offset === undefined) this.#unknownStore(state);
        else if (Number.isFinite(bytes)) state.forget(offset, bytes);
        else state.forgetFrom(offset);
      }
    }
  }

  #sourceWidth(row: number): number {
    const rows = this.#rows;
    if (rows.kind(row, 1) === operandKind.register) {
      return (registerWidth[rows.register(row, 1)] ?? 0) === 16 ? 2 : 1;
    }
    return wideSources.has(rows.code(row)) ? 2 : 1;
  }

  #binary(row: number, state: MachineState, width: number, f: (a: number, b: number) => number): void {
    const value = combineConstants(this.#read(row, 0, state, width), this.#read(row, 1, state, width), f);
    this.#write(row, 0, state, value, width);
  }

  #addConstant(row: number, state: MachineState, width: number, sign: 1 | -1): void {
    const left = this.#read(row, 0, state, width);
    const right = this.#read(row, 1, state, width);
    const constants = constantsOf(right);
    let value: Value = null;
    if (constants?.length === 1) value = plus(left, sign * (constants[0] ?? 0), width);
    else if (constants && constantsOf(left)) value = combineConstants(left, right, (a, b) => a + sign * b);
    else if (sign === 1 && constantsOf(left)?.length === 1) {
      value = plus(right, constantsOf(left)?.[0] ?? 0, width);
    } else if (sign === 1 && width === 8) value = this.#tableTarget(left, right);
    this.#write(row, 0, state, value, width);
  }

  /** A table's address and an entry of it: where the jump leads. */
  #tableTarget(left: Value, right: Value): Value {
    for (const [entry, base] of [
      [left, right],
      [right, left],
    ]) {
      const [table, address] = [onlyAtom(entry ?? null), onlyAtom(base ?? null)];
      if (table?.kind !== 'table' || address?.kind !== 'address') continue;
      if (this.#tables[table.table]?.table === address.address) return entry ?? null;
    }
    return null;
  }

  /**
   * A Go function with a large frame compares where the frame will end with the stack's bound; that address is for
   * nothing else (cmd/internal/obj/x86, `stacksplit`: R12 of the register convention, RAX of the stack one).
   */
  #isStackCheck(row: number, state: MachineState): boolean {
    const rows = this.#rows;
    if (!this.#isGo || fullRegister[rows.base(row)] !== rsp || rows.displacement(row) >= 0) return false;
    const next = this.scanner.rowOf(rows.address(row) + rows.length(row));
    return (
      stackOffsetOf(state.registers[rsp] ?? null) === 0 &&
      next >= 0 &&
      mnemonicOf[rows.code(next)] === Mnemonic.Cmp &&
      rows.kind(next, 0) === operandKind.register &&
      rows.register(next, 0) === rows.register(row, 0) &&
      rows.kind(next, 1) === operandKind.memory
    );
  }

  /**
   * glibc's `alloca_account` keeps the stack pointer only to reckon how far it has moved: the copy's first use takes
   * the new stack pointer off it (include/alloca.h, sysdeps/x86_64/stackinfo.h).
   */
  #isStackSize(row: number): boolean {
    const rows = this.#rows;
    const registerAt = (at: number, operand: number): number =>
      rows.kind(at, operand) === operandKind.register ? rows.register(at, operand) : Register.None;
    const copy = registerAt(row, 0);
    if (copy === Register.None || registerAt(row, 1) !== Register.RSP) return false;
    const isOfCopy = (register: number): boolean => fullRegister[register] === fullRegister[copy];
    let at = row;
    for (let steps = 0; steps < MAX_STACK_SIZE_STEPS; steps++) {
      at = this.scanner.rowOf(rows.next(at));
      if (at < 0 || !reckons.has(mnemonicOf[rows.code(at)] ?? 0)) return false;
      if (isOfCopy(registerAt(at, 0))) {
        const isDistance = registerAt(at, 0) === copy && registerAt(at, 1) === Register.RSP;
        return isDistance && mnemonicOf[rows.code(at)] === Mnemonic.Sub;
      }
      if ([registerAt(at, 1), rows.base(at), rows.index(at)].some(isOfCopy)) return false;
    }
    return false;
  }

  /** A stack address anywhere but in rsp and rbp may be written through, from there upwards. */
  #noteEscape(row: number, value: Value): void {
    if (value === null) return;
    const rows = this.#rows;
    if (rows.kind(row, 0) === operandKind.register) {
      const full = fullRegister[rows.register(row, 0)] ?? -1;
      if (full === rsp || full === rbp) return;
    }
    const offset = stackOffsetOf(value);
    if (offset !== undefined) this.escaped = Math.min(this.escaped, offset);
  }
}

/** A value without the constants that a comparison of its low `width` bytes excludes. */
function admittedConstants(value: Value, ranges: Ranges, width: number): Value {
  if (value === null || value.length === 1) return value;
  const left = value.filter((number) => {
    const atom = decodeAtom(number);
    if (atom.kind !== 'constant') return true;
    return includes(ranges, width === 8 ? atom.value : cut(atom.value, 2 ** (8 * width) - 1));
  });
  // A way that cannot be is followed all the same.
  return left.length === 0 || left.length === value.length ? value : left;
}

function bitwise(a: number, b: number, f: (a: number, b: number) => number): number {
  const fits = (x: number): boolean => x >= -0x8000_0000 && x <= 0xffff_ffff;
  if (!fits(a) || !fits(b)) return Number.NaN;
  const result = f(a | 0, b | 0);
  return a >= 0 || b >= 0 ? result >>> 0 : result;
}

const wideSources = new Set<number>();
const widths = new Map<number, number>();
for (const [name, code] of codeNames) {
  if (/^Mov[sz]x_r(16|32|64)_rm16$/.test(name)) wideSources.add(code);
  const memory =
    /^[A-Z][a-z]+_rm(8|16|32|64)_imm/.exec(name) ?? /^(?:Inc|Dec|Neg|Not)_rm(8|16|32|64)$/.exec(name);
  if (memory?.[1]) widths.set(code, Number(memory[1]) / 8);
}

/** Bytes of the memory operand of an instruction without a general register operand. */
function memoryWidth(code: number): number {
  return widths.get(code) ?? 8;
}
