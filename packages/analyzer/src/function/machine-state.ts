import { rsp } from '../decode/registers.js';
import { type Ranges, sameRanges, unite } from './ranges.js';
import type { Constraint } from './term.js';
import { entryRegister, entrySlot, join, sameValue, stackAddress, type Value } from './value.js';

interface Slot {
  readonly value: Value;
  /** Bytes that were stored. */
  readonly width: number;
}

const anything: Slot = { value: null, width: 8 };

/** What the flags say: how `left` compares with `right`, both of `width` bytes. */
export interface Comparison {
  readonly left: Value;
  readonly right: number;
  readonly width: number;
}

const noConstraints: ReadonlyMap<string, Constraint> = new Map();

/**
 * Registers and known stack slots at one point of a function. Slots are by offset from the entry's rsp.
 * A slot that is not there holds anything below the return address, and its entry value above.
 */
export class MachineState {
  readonly registers: Value[];
  flags: Comparison | undefined;
  /** Shared with copies of this state until one of them changes it. */
  #slots: Map<number, Slot>;
  #isShared = false;
  /** By subject and mask; shared between states until it changes. */
  #constraints: ReadonlyMap<string, Constraint> = noConstraints;
  /** Arguments from this offset on may have been overwritten. */
  #lostFrom: number;

  private constructor(registers: Value[], slots: Map<number, Slot>, lostFrom: number) {
    this.registers = registers;
    this.#slots = slots;
    this.#lostFrom = lostFrom;
  }

  /** As a function is entered: each register holds its own entry value. */
  static atEntry(): MachineState {
    return new MachineState(
      Array.from({ length: 16 }, (_, register) =>
        register === rsp ? stackAddress(0) : entryRegister(register),
      ),
      new Map(),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Where nothing is known, not even where the stack is. */
  static unknown(): MachineState {
    return new MachineState(new Array<Value>(16).fill(null), new Map(), Number.NEGATIVE_INFINITY);
  }

  clone(): MachineState {
    const copy = new MachineState(this.registers.slice(), this.#slots, this.#lostFrom);
    this.#isShared = true;
    copy.#isShared = true;
    copy.#constraints = this.#constraints;
    copy.flags = this.flags;
    return copy;
  }

  /** The slots, to be changed. */
  #ownSlots(): Map<number, Slot> {
    if (this.#isShared) {
      this.#slots = new Map(this.#slots);
      this.#isShared = false;
    }
    return this.#slots;
  }

  /** What held on every way here. */
  get constraints(): ReadonlyMap<string, Constraint> {
    return this.#constraints;
  }

  /** Notes that something holds, in place of what was known of the same term. */
  constrain(key: string, constraint: Constraint): void {
    const known = this.#constraints.get(key);
    if (known && sameRanges(known.ranges, constraint.ranges)) return;
    this.#constraints = new Map(this.#constraints).set(key, constraint);
  }

  #untouched(offset: number): Value {
    return offset + 7 >= this.#lostFrom ? null : entrySlot(offset);
  }

  load(offset: number, width: number): Value {
    const slot = this.#slots.get(offset);
    if (slot) return slot.width >= width ? slot.value : null;
    return width >= 4 ? this.#untouched(offset) : null;
  }

  store(offset: number, width: number, value: Value): void {
    this.forget(offset, width);
    this.#ownSlots().set(offset, { value, width });
  }

  /** Bytes written with something unknown. */
  forget(offset: number, width: number): void {
    if (this.#slots.size > 0) {
      for (let at = offset - 7; at < offset + width; at++) {
        const slot = this.#slots.get(at);
        if (slot && at + slot.width > offset) this.#ownSlots().delete(at);
      }
    }
    // An argument that is not there would read as its entry value.
    for (let at = Math.max(8, Math.ceil((offset - 7) / 8) * 8); at < offset + width; at += 8) {
      this.#ownSlots().set(at, anything);
    }
  }

  /** Everything from `offset` upwards may have been written through a pointer. */
  forgetFrom(offset: number): void {
    for (const at of this.#slots.keys()) if (at + 7 >= offset) this.#ownSlots().delete(at);
    this.#lostFrom = Math.min(this.#lostFrom, offset);
  }

  /** What lies below the stack pointer does not survive a call. */
  forgetBelow(offset: number): void {
    for (const at of this.#slots.keys()) if (at < offset) this.#ownSlots().delete(at);
  }

  /**
   * Takes in another way to the same point. Returns whether anything changed.
   * @param widen make what changes unknown at once, so that counters in loops do not grow step by step
   */
  merge(other: MachineState, widen = false): boolean {
    let changed = false;
    for (let i = 0; i < 16; i++) {
      const before = this.registers[i] ?? null;
      const theirs = other.registers[i] ?? null;
      if (before === null || before === theirs) continue;
      const after = join(before, theirs);
      if (after !== before) {
        this.registers[i] = widen ? null : after;
        changed = true;
      }
    }
    if (this.#slots !== other.#slots && this.#mergeSlots(other, widen)) changed = true;
    const constraints = this.#joinConstraints(other.#constraints, widen);
    if (constraints !== this.#constraints) {
      this.#constraints = constraints;
      changed = true;
    }
    if (this.flags !== undefined && !sameComparison(this.flags, other.flags)) {
      this.flags = undefined;
      changed = true;
    }
    if (other.#lostFrom < this.#lostFrom) {
      this.#lostFrom = other.#lostFrom;
      changed = true;
    }
    return changed;
  }

  #mergeSlots(other: MachineState, widen: boolean): boolean {
    let changed = false;
    for (const [at, mine] of this.#slots) {
      const theirs = other.#slots.get(at);
      if (theirs === mine) continue;
      let value = join(mine.value, theirs ? theirs.value : other.#untouched(at));
      const width = Math.min(mine.width, theirs?.width ?? 8);
      if (value === mine.value && mine.width === width) continue;
      if (widen) value = null;
      if (value === null && at < 8) this.#ownSlots().delete(at);
      else this.#ownSlots().set(at, { value, width });
      changed = true;
    }
    for (const [at, theirs] of other.#slots) {
      if (this.#slots.has(at)) continue;
      const untouched = this.#untouched(at);
      if (untouched === null) continue;
      const value = join(untouched, theirs.value);
      if (value === untouched && theirs.width >= 8) continue;
      this.#ownSlots().set(at, { value: widen ? null : value, width: theirs.width });
      changed = true;
    }
    return changed;
  }

  /** Only what both ways agree on, each as wide as either. The same map when nothing is lost. */
  #joinConstraints(other: ReadonlyMap<string, Constraint>, widen: boolean): ReadonlyMap<string, Constraint> {
    const mine = this.#constraints;
    if (mine === other || mine.size === 0) return mine;
    const joined = new Map<string, Constraint>();
    let changed = false;
    for (const [key, constraint] of mine) {
      const theirs = other.get(key);
      const ranges = theirs && unite(constraint.ranges, theirs.ranges);
      if (ranges && sameRanges(ranges, constraint.ranges)) joined.set(key, constraint);
      else {
        changed = true;
        if (ranges && !widen && !isAll(ranges, constraint.mask)) joined.set(key, { ...constraint, ranges });
      }
    }
    return changed ? joined : mine;
  }
}

function isAll(ranges: Ranges, mask: number | undefined): boolean {
  const [first = 0, last = 0] = ranges;
  return mask === undefined
    ? first === Number.NEGATIVE_INFINITY && last === Number.POSITIVE_INFINITY
    : first <= 0 && last >= mask;
}

function sameComparison(a: Comparison, b: Comparison | undefined): boolean {
  if (a === b) return true;
  return b !== undefined && a.right === b.right && a.width === b.width && sameValue(a.left, b.left);
}
