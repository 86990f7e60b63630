/**
 * What a register or stack slot may hold: a small set of atoms, sorted, or `null` for anything.
 * An atom is a constant, the value that a register had at the function's entry plus a constant, the value that
 * a stack slot had at entry, or an address in the stack relative to the entry's rsp. It is one number:
 * its kind (and register or slot) times 2^40, plus the constant moved by 2^39.
 */
export type Value = readonly number[] | null;

const UNIT = 2 ** 40;
const BIAS = 2 ** 39;
/** Larger sets say little and cost time; they become `null`. */
const MAX_ATOMS = 24;

const CONSTANT = 0;
const STACK = 1;
const REGISTER = 2;
const SLOT = 18;
const MAX_SLOTS = 64;

export type Atom =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'stack'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number; readonly plus: number }
  /** The 8 bytes at entry's rsp + `offset`; the first stack argument is at 8. */
  | { readonly kind: 'slot'; readonly offset: number };

function encode(tag: number, k: number): number | undefined {
  return k >= -BIAS && k < BIAS ? tag * UNIT + k + BIAS : undefined;
}

function one(atom: number | undefined): Value {
  return atom === undefined ? null : [atom];
}

export const constant = (value: number): Value => one(encode(CONSTANT, value));
export const stackAddress = (offset: number): Value => one(encode(STACK, offset));
export const entryRegister = (register: number): Value => one(encode(REGISTER + register, 0));
export const entrySlot = (offset: number): Value =>
  offset >= 8 && offset % 8 === 0 && offset / 8 < MAX_SLOTS ? one(encode(SLOT + offset / 8, 0)) : null;

export function decodeAtom(atom: number): Atom {
  const tag = Math.floor(atom / UNIT);
  const k = atom - tag * UNIT - BIAS;
  if (tag === CONSTANT) return { kind: 'constant', value: k };
  if (tag === STACK) return { kind: 'stack', offset: k };
  if (tag < SLOT) return { kind: 'register', register: tag - REGISTER, plus: k };
  return { kind: 'slot', offset: (tag - SLOT) * 8 };
}

/** Constants of a value that is nothing else. */
export function constantsOf(value: Value): number[] | undefined {
  if (value === null) return undefined;
  const constants: number[] = [];
  for (const atom of value) {
    if (atom >= UNIT) return undefined;
    constants.push(atom - BIAS);
  }
  return constants;
}

/** The offset of a value that is one stack address. */
export function stackOffsetOf(value: Value): number | undefined {
  if (value?.length !== 1) return undefined;
  const atom = value[0] ?? 0;
  return atom >= UNIT && atom < 2 * UNIT ? atom - UNIT - BIAS : undefined;
}

/** The set after `f` on each constant; `null` if it has anything else. */
export function mapConstants(value: Value, f: (constant: number) => number): Value {
  const constants = constantsOf(value);
  if (!constants) return null;
  return unite(constants.map((c) => encode(CONSTANT, f(c))));
}

export function combineConstants(a: Value, b: Value, f: (a: number, b: number) => number): Value {
  const [left, right] = [constantsOf(a), constantsOf(b)];
  if (!left || !right || left.length * right.length > MAX_ATOMS) return null;
  return unite(left.flatMap((x) => right.map((y) => encode(CONSTANT, f(x, y)))));
}

function unite(atoms: readonly (number | undefined)[]): Value {
  const set = new Set<number>();
  for (const atom of atoms) {
    if (atom === undefined) return null;
    set.add(atom);
  }
  return set.size > MAX_ATOMS ? null : [...set].sort((x, y) => x - y);
}

/** The value plus a constant. */
export function plus(value: Value, k: number): Value {
  if (value === null || k === 0) return value;
  return unite(
    value.map((atom) => {
      const tag = Math.floor(atom / UNIT);
      return tag >= SLOT ? undefined : encode(tag, atom - tag * UNIT - BIAS + k);
    }),
  );
}

export function join(a: Value, b: Value): Value {
  if (a === b) return a;
  if (a === null || b === null) return null;
  if (a.length === b.length && a.every((atom, i) => atom === b[i])) return a;
  return unite([...a, ...b]);
}

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  return a !== null && b !== null && a.length === b.length && a.every((atom, i) => atom === b[i]);
}
