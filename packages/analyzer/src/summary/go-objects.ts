import { type Elf, fileOffset } from '../elf/elf.js';
import { findsMethods, isInitializer } from '../function/go-names.js';
import type { GoCode } from '../function/go-table.js';
import type { PointerSlot } from './data-objects.js';

/** Go's objects in data that are live only when something refers to them. */
export interface GoObjects {
  /** Where they start and end. */
  readonly bounds: readonly number[];
  /** Starts of objects. */
  readonly owned: ReadonlySet<number>;
  /** From an object to what is live with it, besides what its words point to: addresses of objects and functions. */
  readonly links: readonly (readonly [from: number, to: number])[];
  /**
   * Whether a word makes nothing live: those of the table of all interface tables, which is for the runtime's start,
   * and in files without relocations constants that look like addresses of Go functions.
   * @param target name of the Go function that it points into
   */
  isIdle(slot: PointerSlot, target: string | undefined): boolean;
}

/** Words of runtime.moduledata (runtime/symtab.go) that are needed, in Go 1.18 and 1.20. */
interface ModuleData {
  readonly text: number;
  readonly types: number;
  readonly endTypes: number;
  readonly typeLinks: Table;
  readonly interfaceTables: Table;
  /** Where variables lie: `data` and `noptrdata` with their ends. */
  readonly variables: readonly (readonly [start: number, end: number])[];
}

interface Table {
  readonly start: number;
  readonly count: number;
}

interface Method {
  readonly type: number;
  /** Its name and its type's offset, by which interfaces ask for it. */
  readonly key: string;
  readonly isExported: boolean;
  /** Offsets in the text. */
  readonly code: readonly number[];
}

const WORD = 8;
/** Longer names of methods are compared by their beginnings, which finds more. */
const MAX_NAME = 256;
/** Types of one program; the largest known have 100 thousand. */
const MAX_TYPES = 2_000_000;
const MAX_METHODS = 65_535;
/** Bytes of a type, which may be more than there are addresses (cmd/compile/internal/amd64/galign.go, `MAXWIDTH`). */
const MAX_SIZE = 2 ** 50;

/** reflect.Kind. */
const kind = {
  array: 17,
  chan: 18,
  func: 19,
  interface: 20,
  map: 21,
  pointer: 22,
  slice: 23,
  struct: 25,
  last: 26,
};

/** Bytes before `uncommonType`, by kind (internal/abi/type.go, `Type.Uncommon`); maps differ between versions. */
const sizes = new Map([
  [kind.pointer, 56],
  [kind.func, 56],
  [kind.slice, 56],
  [kind.array, 72],
  [kind.chan, 64],
  [kind.interface, 80],
  [kind.struct, 80],
]);
const COMMON = 48;
/** `runtime.maptype` until Go 1.23, `internal/runtime/maps` since. */
const MAP_SIZES = [88, 104, 112];

/**
 * Types, interface tables and function values of a Go file: what makes methods and functions live that are not
 * called by name. A live type makes all its methods live that the linker has left in it (cmd/link's own pruning
 * has removed those that no interface in the program asks for, unless methods are looked up by name), its
 * interface tables, and the types that reflection finds from it.
 * @param referred addresses that code or pointers refer to
 * @returns undefined where the runtime's tables are not read: before Go 1.18, or what they say does not hold together
 */
export function goObjects(
  elf: Elf,
  go: GoCode,
  slotAt: ReadonlyMap<number, PointerSlot>,
  referred: ReadonlySet<number>,
): GoObjects | undefined {
  const module = moduleData(elf, go, slotAt);
  return module && new Finder(elf, module, slotAt).find(go, referred);
}

class Finder {
  readonly #bounds: number[] = [];
  readonly #links: [number, number][] = [];
  readonly #owned = new Set<number>();
  /** `name type` of each method that an interface asks for. */
  readonly #wanted = new Set<string>();
  readonly #found: Method[] = [];
  /** Types by address; the queue of those whose parts were not looked at. */
  readonly #types = new Set<number>();
  readonly #queue: number[] = [];

  constructor(
    private readonly elf: Elf,
    private readonly module: ModuleData,
    private readonly slotAt: ReadonlyMap<number, PointerSlot>,
  ) {}

  find(go: GoCode, referred: ReadonlySet<number>): GoObjects | undefined {
    const { types, typeLinks, interfaceTables } = this.module;
    const linked: number[] = [];
    for (let i = 0; i < typeLinks.count; i++) {
      const at = fileOffset(this.elf, typeLinks.start + i * 4, 4);
      const type = at < 0 ? -1 : types + this.elf.view.i32(at);
      // All of them are types: if one does not look like one, none is understood.
      if (!this.#learn(type)) return undefined;
      linked.push(type);
    }
    for (let i = 0; i < interfaceTables.count; i++) {
      const table = this.#pointer(interfaceTables.start + i * WORD);
      if (table === undefined || !this.#interfaceTable(table)) return undefined;
    }
    for (const address of referred) this.#learn(address);
    for (let type = this.#queue.pop(); type !== undefined; type = this.#queue.pop()) {
      if (this.#types.size > MAX_TYPES || !this.#type(type)) return undefined;
    }
    // reflect.PointerTo, SliceOf and the like find a type by the one it is made of.
    for (const type of linked) {
      for (const at of [COMMON, COMMON + WORD]) {
        const part = this.#pointer(type + at);
        if (part !== undefined && this.#types.has(part)) this.#links.push([part, type]);
      }
    }
    this.#linkMethods(go);
    this.#functionValues(go, referred);
    const end = interfaceTables.start + interfaceTables.count * WORD;
    const extents = this.#extents();
    const ofGo = [[types, this.module.endTypes] as const, ...this.module.variables];
    // Addresses of Go functions are in interface tables, function values and lists of initializers only: variables
    // hold pointers to function values.
    const isConstant = (address: number, target: string): boolean =>
      !this.elf.positionIndependent &&
      !isInitializer(target) &&
      ofGo.some(([start, stop]) => address >= start && address < stop) &&
      !isInside(extents, address);
    return {
      bounds: this.#bounds,
      owned: this.#owned,
      links: this.#links,
      isIdle: ({ address }, target) =>
        (address >= interfaceTables.start && address < end) ||
        (target !== undefined && isConstant(address, target)),
    };
  }

  #own(start: number, size: number): void {
    this.#owned.add(start);
    this.#bounds.push(start, start + size);
  }

  #pointer(address: number): number | undefined {
    const slot = this.slotAt.get(address);
    return slot?.kind === 'address' ? slot.target : undefined;
  }

  #word(address: number): number {
    const at = fileOffset(this.elf, address, WORD);
    return at < 0 ? Number.NaN : this.elf.view.u64(at);
  }

  #half(address: number): number {
    const at = fileOffset(this.elf, address, 4);
    return at < 0 ? Number.NaN : this.elf.view.i32(at);
  }

  #kind(type: number): number {
    const at = fileOffset(this.elf, type, COMMON);
    return at < 0 ? 0 : this.elf.view.u8(at + 23) & 31;
  }

  /** Takes in an address when there is a type. Returns whether. */
  #learn(address: number): boolean {
    if (this.#types.has(address)) return true;
    const { types, endTypes } = this.module;
    if (!(address >= types && address + COMMON <= endTypes) || address % WORD !== 0) return false;
    const at = fileOffset(this.elf, address, COMMON);
    if (at < 0) return false;
    const { view } = this.elf;
    const kindHere = this.#kind(address);
    // internal/abi.Type: size, ptrdata, hash, tflag, align, fieldAlign, kind, equal, gcdata, str, ptrToThis.
    const name = types + view.i32(at + 40);
    const looksRight =
      kindHere >= 1 &&
      kindHere <= kind.last &&
      view.u64(at) < MAX_SIZE &&
      view.u64(at + 8) <= view.u64(at) &&
      isAlignment(view.u8(at + 21)) &&
      isAlignment(view.u8(at + 22)) &&
      [24, 32].every((word) => this.#isPointerOrNone(address + word)) &&
      name >= types &&
      name < endTypes;
    if (!looksRight) return false;
    this.#types.add(address);
    this.#queue.push(address);
    return true;
  }

  #isPointerOrNone(address: number): boolean {
    return this.slotAt.has(address) || this.#word(address) === 0;
  }

  #learnOffset(from: number, offset: number): void {
    const type = this.module.types + offset;
    if (offset > 0 && this.#learn(type)) this.#links.push([from, type]);
  }

  /** Bounds and links of a type. Returns false where it is not understood. */
  #type(type: number): boolean {
    const kindHere = this.#kind(type);
    const hasUncommon = (this.#byte(type + 20) & 1) !== 0;
    let before = sizes.get(kindHere) ?? COMMON;
    if (kindHere === kind.map) {
      const size = hasUncommon ? MAP_SIZES.find((each) => this.#isUncommon(type + each)) : MAP_SIZES[0];
      if (size === undefined) return false;
      before = size;
    }
    let end = type + before + (hasUncommon ? 16 : 0);
    if (hasUncommon && !this.#isUncommon(type + before)) return false;
    this.#learnOffset(type, this.#half(type + 44));
    if (kindHere === kind.func) {
      const inputs = this.#byte(type + 48) + this.#byte(type + 49) * 256;
      const outputs = this.#byte(type + 50) + (this.#byte(type + 51) & 0x7f) * 256;
      end += (inputs + outputs) * WORD;
    }
    if (hasUncommon) end = Math.max(end, this.#methods(type, type + before));
    if (kindHere === kind.struct || kindHere === kind.interface) {
      const list = this.#pointer(type + 56);
      const count = this.#word(type + 64);
      if (list !== undefined && !(count <= MAX_METHODS)) return false;
      if (list !== undefined && count > 0) {
        if (kindHere === kind.interface) {
          for (let i = 0; i < count; i++) {
            const methodType = this.#half(list + i * 8 + 4);
            this.#learnOffset(type, methodType);
            this.#wanted.add(`${this.#name(this.#half(list + i * 8))} ${methodType}`);
          }
        } else {
          if (list >= end) this.#own(list, count * 24);
          else end = Math.max(end, list + count * 24);
        }
      }
    }
    this.#own(type, end - type);
    for (let at = type + COMMON; at < end; at += WORD) {
      const part = this.#pointer(at);
      if (part !== undefined) this.#learn(part);
    }
    return true;
  }

  #byte(address: number): number {
    const at = fileOffset(this.elf, address, 1);
    return at < 0 ? 0 : this.elf.view.u8(at);
  }

  /** `uncommonType`: pkgPath, mcount, xcount, moff, and a word that is zero. */
  #isUncommon(address: number): boolean {
    const counts = this.#half(address + 4);
    const offset = this.#half(address + 8);
    return (
      counts >>> 16 <= (counts & 0xffff) && offset >= 0 && offset < 1 << 24 && this.#half(address + 12) === 0
    );
  }

  /** Methods of a type: their code by both ways of calling, and their own types. Returns where the table ends. */
  #methods(type: number, uncommon: number): number {
    const count = this.#half(uncommon + 4) & 0xffff;
    const first = uncommon + this.#half(uncommon + 8);
    for (let i = 0; i < count; i++) {
      const method = first + i * 16;
      const [name, methodType] = [this.#half(method), this.#half(method + 4)];
      this.#learnOffset(type, methodType);
      // What the linker has removed is 0 or -1.
      const code = [8, 12].map((at) => this.#half(method + at)).filter((offset) => offset > 0);
      const isExported = (this.#byte(this.module.types + name) & 1) !== 0;
      this.#found.push({ type, key: `${this.#name(name)} ${methodType}`, isExported, code });
    }
    return count === 0 ? 0 : first + count * 16;
  }

  /** `abi.Name`: flags, the length as a varint, and the bytes. */
  #name(offset: number): string {
    const at = fileOffset(this.elf, this.module.types + offset, 3);
    if (at < 0) return '';
    const { bytes } = this.elf.view;
    const low = bytes[at + 1] ?? 0;
    const [length, start] = low < 128 ? [low, at + 2] : [(low & 127) + (bytes[at + 2] ?? 0) * 128, at + 3];
    return String.fromCharCode(...bytes.subarray(start, start + Math.min(length, MAX_NAME)));
  }

  /**
   * Methods live with their types: those that an interface asks for by name and type, and exported ones where the
   * file has reflection's ways to methods.
   */
  #linkMethods(go: GoCode): void {
    const reflects = go.functions.some(({ name }) => findsMethods(name));
    for (const { type, key, isExported, code } of this.#found) {
      if (!(isExported && reflects) && !this.#wanted.has(key)) continue;
      for (const offset of code) this.#links.push([type, this.module.text + offset]);
    }
  }

  /** `itab`: the interface, the type, a hash, and a function for each method of the interface. */
  #interfaceTable(table: number): boolean {
    const [interfaceType, type] = [this.#pointer(table), this.#pointer(table + WORD)];
    if (interfaceType === undefined || type === undefined) return false;
    if (!this.#learn(interfaceType) || !this.#learn(type)) return false;
    if (this.#kind(interfaceType) !== kind.interface) return false;
    const methods = this.#word(interfaceType + 64);
    if (!(methods > 0 && methods <= MAX_METHODS)) return false;
    this.#own(table, 24 + methods * WORD);
    this.#links.push([type, table]);
    return true;
  }

  /** A word that points to a function's start and is itself referred to: a function without variables of its own. */
  #functionValues(go: GoCode, referred: ReadonlySet<number>): void {
    const starts = new Set(go.functions.map(({ start }) => start));
    const extents = this.#extents();
    for (const address of referred) {
      if (this.module.variables.some(([start, end]) => address >= start && address < end)) continue;
      const target = this.#pointer(address);
      if (target === undefined || !starts.has(target) || isInside(extents, address)) continue;
      this.#own(address, WORD);
    }
  }

  #extents(): Float64Array {
    const pairs: [number, number][] = [];
    for (let i = 0; i < this.#bounds.length; i += 2)
      pairs.push([this.#bounds[i] ?? 0, this.#bounds[i + 1] ?? 0]);
    return Float64Array.from(pairs.sort((a, b) => a[0] - b[0]).flat());
  }
}

/** Whether an address lies in one of sorted pairs of start and end. */
function isInside(extents: Float64Array, address: number): boolean {
  let [low, high] = [0, extents.length / 2];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((extents[middle * 2] ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low > 0 && address < (extents[low * 2 - 1] ?? 0);
}

const isAlignment = (value: number): boolean => [1, 2, 4, 8, 16, 32, 64].includes(value);

/** Finds the table that leads to all others: its first word is the address of the function table. */
function moduleData(elf: Elf, go: GoCode, slotAt: ReadonlyMap<number, PointerSlot>): ModuleData | undefined {
  const { table, layout } = go;
  if (!table || layout === undefined) return undefined;
  for (const { address, target } of slotAt.values()) {
    if (target !== table.start) continue;
    const word = (index: number): number => {
      const slot = slotAt.get(address + index * WORD);
      if (slot?.kind === 'address') return slot.target;
      const at = fileOffset(elf, address + index * WORD, WORD);
      return at < 0 ? Number.NaN : elf.view.u64(at);
    };
    // Since 1.20 two words about coverage come before the end of the program.
    const types = layout === '1.18' ? 35 : 37;
    const tableAt = (index: number): Table => ({ start: word(index), count: word(index + 1) });
    const isTable = (index: number): boolean =>
      word(index + 1) === word(index + 2) && word(index + 1) < MAX_TYPES;
    const [sections, typeLinks, interfaceTables] = [types + 4, types + 7, types + 10];
    const makesSense =
      word(20) === go.functions[0]?.start &&
      word(22) <= word(20) &&
      word(23) >= word(22) &&
      word(types) < word(types + 1) &&
      [sections, typeLinks, interfaceTables].every(isTable) &&
      // Text in several sections has offsets of its own.
      word(sections + 1) === 1;
    if (!makesSense) continue;
    return {
      text: word(22),
      types: word(types),
      endTypes: word(types + 1),
      typeLinks: tableAt(typeLinks),
      interfaceTables: tableAt(interfaceTables),
      variables: [
        [word(24), word(25)],
        [word(26), word(27)],
      ],
    };
  }
  return undefined;
}
