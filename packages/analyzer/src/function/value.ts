/**
 * What a register or stack slot may hold: a small set of atoms, sorted, or `null` for anything.
 * An atom is one number: its kind (and register or slot) times 2^40, plus a constant moved by 2^39.
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
const LOW_REGISTER = SLOT + MAX_SLOTS;
const HALF_REGISTER = LOW_REGISTER + 16;
const LOW_CONSTANT = HALF_REGISTER + 16;
const ADDRESS = LOW_CONSTANT + 1;
const THREAD = ADDRESS + 1;
const TERM = THREAD + 1;
const TABLE = TERM + 1;

export type Atom =
  | { readonly kind: 'constant'; readonly value: number }
  /** An address in the stack, relative to the entry's rsp. */
  | { readonly kind: 'stack'; readonly offset: number }
  /** What a register had at entry, plus a constant. */
  | {
      readonly kind: 'register';
      readonly register: number;
      readonly plus: number;
      /** `whole`: all 64 bits; `low`: the low half and zero above; `half`: the low half and anything above. */
      readonly part: 'whole' | 'low' | 'half';
    }
  /** The 8 bytes at entry's rsp + `offset`; the first stack argument is at 8. */
  | { readonly kind: 'slot'; readonly offset: number }
  /** Of the value only the low half is known. */
  | { readonly kind: 'low-constant'; readonly value: number }
  /** An address in the file's own numbering. */
  | { readonly kind: 'address'; readonly address: number }
  /** Where a thread-local variable is, relative to the thread pointer, by its offset in the TLS segment. */
  | { readonly kind: 'thread'; readonly offset: number }
  /** By its number in the file's `Terms`. */
  | { readonly kind: 'term'; readonly term: number }
  /** An entry of a jump table, by number. */
  | { readonly kind: 'table'; readonly table: number };

function encode(tag: number, k: number): number | undefined {
  return k >= -BIAS && k < BIAS ? tag * UNIT + k + BIAS : undefined;
}

function one(atom: number | undefined): Value {
  return atom === undefined ? null : [atom];
}

/** Many instructions have the same few constants; equal ones are compared and joined fastest when they are one. */
const smallConstants = Array.from({ length: 256 }, (_, value) => one(encode(CONSTANT, value)));
export const constant = (value: number): Value => smallConstants[value] ?? one(encode(CONSTANT, value));
export const stackAddress = (offset: number): Value => one(encode(STACK, offset));
const entryRegisters = Array.from({ length: 16 }, (_, register) => one(encode(REGISTER + register, 0)));
export const entryRegister = (register: number): Value => entryRegisters[register] ?? null;
export const lowConstant = (value: number): Value => one(encode(LOW_CONSTANT, value));
export const fileAddress = (address: number): Value => one(encode(ADDRESS, address));
export const threadOffset = (offset: number): Value => one(encode(THREAD, offset));
export const termValue = (term: number): Value => one(encode(TERM, term));
export const tableEntry = (table: number): Value => one(encode(TABLE, table));
export const entrySlot = (offset: number): Value =>
  offset >= 8 && offset % 8 === 0 && offset / 8 < MAX_SLOTS ? one(encode(SLOT + offset / 8, 0)) : null;

export function decodeAtom(atom: number): Atom {
  const tag = Math.floor(atom / UNIT);
  const k = atom - tag * UNIT - BIAS;
  if (tag === CONSTANT) return { kind: 'constant', value: k };
  if (tag === STACK) return { kind: 'stack', offset: k };
  if (tag < SLOT) return { kind: 'register', register: tag - REGISTER, plus: k, part: 'whole' };
  if (tag < LOW_REGISTER) return { kind: 'slot', offset: (tag - SLOT) * 8 };
  if (tag < HALF_REGISTER) return { kind: 'register', register: tag - LOW_REGISTER, plus: k, part: 'low' };
  if (tag < LOW_CONSTANT) return { kind: 'register', register: tag - HALF_REGISTER, plus: k, part: 'half' };
  if (tag === LOW_CONSTANT) return { kind: 'low-constant', value: k };
  if (tag === ADDRESS) return { kind: 'address', address: k };
  if (tag === THREAD) return { kind: 'thread', offset: k };
  return tag === TERM ? { kind: 'term', term: k } : { kind: 'table', table: k };
}

/** The only atom of a value that has one. */
export function onlyAtom(value: Value): Atom | undefined {
  return value?.length === 1 ? decodeAtom(value[0] ?? 0) : undefined;
}

/**
 * The low 32 bits with zero above. An address in the stack or a stack slot stays itself: of those only the low
 * half is ever asked for.
 */
export function lowHalf(value: Value): Value {
  if (value === null) return null;
  if (value.length !== 1) return unite(value.map(lowHalfOf));
  const atom = value[0] ?? 0;
  const low = lowHalfOf(atom);
  return low === atom ? value : one(low);
}

function lowHalfOf(atom: number): number | undefined {
  const tag = Math.floor(atom / UNIT);
  const k = atom - tag * UNIT - BIAS;
  if (tag === CONSTANT || tag === LOW_CONSTANT) {
    return encode(CONSTANT, ((k % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000);
  }
  if (tag >= REGISTER && tag < SLOT) return encode(tag - REGISTER + LOW_REGISTER, k);
  if (tag >= HALF_REGISTER && tag < LOW_CONSTANT) return encode(tag - HALF_REGISTER + LOW_REGISTER, k);
  return tag === ADDRESS || tag === THREAD || tag === TABLE ? undefined : atom;
}

/** A 32-bit value extended by its sign: constants exactly, of the rest the low half stays known. */
export function signExtended(value: Value): Value {
  if (value === null) return null;
  return unite(
    value.map((atom) => {
      const tag = Math.floor(atom / UNIT);
      const k = atom - tag * UNIT - BIAS;
      if (tag === CONSTANT || tag === LOW_CONSTANT) return encode(CONSTANT, k | 0);
      if (tag >= REGISTER && tag < SLOT) return encode(tag - REGISTER + HALF_REGISTER, k);
      if (tag >= LOW_REGISTER && tag < HALF_REGISTER) return encode(tag - LOW_REGISTER + HALF_REGISTER, k);
      return tag === SLOT || (tag > SLOT && tag < LOW_REGISTER) || tag === STACK ? atom : undefined;
    }),
  );
}

/** The set after `f` on each atom; `null` where it says nothing of one. */
export function mapAtoms(value: Value, f: (atom: Atom) => Value): Value {
  if (value === null) return null;
  let result: Value = [];
  for (const atom of value) {
    const mapped = f(decodeAtom(atom));
    if (mapped === null) return null;
    result = result === null || result.length === 0 ? mapped : join(result, mapped);
    if (result === null) return null;
  }
  return result;
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
  if (atoms.length === 1) return one(atoms[0]);
  const sorted: number[] = [];
  for (const atom of atoms) {
    if (atom === undefined) return null;
    sorted.push(atom);
  }
  sorted.sort((x, y) => x - y);
  let distinct = 0;
  for (const atom of sorted) if (distinct === 0 || atom !== sorted[distinct - 1]) sorted[distinct++] = atom;
  sorted.length = distinct;
  return distinct > MAX_ATOMS ? null : sorted;
}

/**
 * The value plus a constant.
 * @param width bytes of the sum: a wide sum of a value that was cut to its low half may carry into the other
 */
export function plus(value: Value, k: number, width = 8): Value {
  if (value === null || k === 0) return value;
  return unite(
    value.map((atom) => {
      const tag = Math.floor(atom / UNIT);
      const sum = atom - tag * UNIT - BIAS + k;
      if (tag >= LOW_REGISTER && tag < HALF_REGISTER && width === 8) {
        return encode(tag - LOW_REGISTER + HALF_REGISTER, sum);
      }
      const stays = tag < SLOT || (tag >= LOW_REGISTER && tag <= ADDRESS);
      return stays ? encode(tag, sum) : undefined;
    }),
  );
}

/** What either may be; the one itself that the other adds nothing to. */
export function join(a: Value, b: Value): Value {
  if (a === b) return a;
  if (a === null || b === null) return null;
  const joined: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Number.POSITIVE_INFINITY;
    const right = b[j] ?? Number.POSITIVE_INFINITY;
    if (left <= right) i++;
    if (right <= left) j++;
    joined.push(Math.min(left, right));
  }
  if (joined.length === a.length) return a;
  if (joined.length === b.length) return b;
  return joined.length > MAX_ATOMS ? null : joined;
}

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
