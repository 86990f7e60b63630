import { memoryAccess } from '../decode/memory-access.js';
import { Instructions } from '../decode/instructions.js';
import { type Elf, fileOffset, segmentType } from '../elf/elf.js';
import type { CodeMap } from './code-map.js';
import type { FunctionTable } from './discover-functions.js';
import { reference } from './scan-function.js';

/** An instruction that names a static word. */
export interface CellAccess {
  /** Position of its function in the table. */
  readonly owner: number;
  readonly address: number;
}

/**
 * A static word that is read and written by name only: it holds its initial value or what one of `stores`
 * put there, at any time.
 */
export interface StaticCell {
  readonly address: number;
  /** Bytes that every access has at least; the lowest of them are the cell's value. */
  readonly width: number;
  /** What the file holds there before any code runs: an integer, or an address of the image. */
  readonly initial: { readonly value: number; readonly isAddress: boolean };
  readonly stores: readonly CellAccess[];
  readonly loads: readonly CellAccess[];
}

export interface StaticCells {
  /**
   * The cell of at least `width` bytes at an address; undefined where the word may be accessed in other ways.
   * @param isVariable the word is known to be a variable of its own whose address nobody takes
   */
  at(address: number, width: number, isVariable?: boolean): StaticCell | undefined;
}

/** A word that the loader fills, as far as cells need to know. */
export interface FilledWord {
  readonly address: number;
  readonly kind: 'address' | 'symbol' | 'resolver' | 'copy';
  readonly target: number;
}

/** Widest store of one instruction by name (a vector register), and so how far before a word one may begin. */
const WIDEST = 64;
/** A pointer to something at most so far below a word may lead to an object that has the word in it. */
const SMALL_OBJECT = 16;
/** How far below a word a pointer in the same function counts as one to the word's object. */
const LARGE_OBJECT = 4096;

/**
 * Finds cells. Where symbols give the extent of the object around a word, the word is a cell when no address
 * inside the object is taken. Where none does (most files), extents have to be guessed, and a word is a cell when
 * - every instruction that overlaps it starts at it,
 * - no address from 15 bytes below it to its end is taken, by code or by data, and
 * - no function that names it takes an address within the 4 KiB below it: the fields of a larger structure are
 *   named where the structure's address is at hand.
 * An exported word is none (others store there), nor one in the image of thread-local storage.
 */
export function staticCells(
  elf: Elf,
  code: CodeMap,
  table: FunctionTable,
  filled: ReadonlyMap<number, FilledWord>,
): StaticCells {
  const writable = elf.segments.filter((s) => s.type === segmentType.load && (s.flags & 2) !== 0);
  const inWritable = (address: number): boolean =>
    writable.some((s) => address >= s.address && address < s.address + s.memorySize);
  const named = new Map<number, CellAccess[]>();
  const takenBy = new Map<number, Set<number>>();
  const takenHere = (address: number): Set<number> => {
    let set = takenBy.get(address);
    if (!set) takenBy.set(address, (set = new Set()));
    return set;
  };
  table.functions.forEach((f, owner) => {
    for (let i = 0; i < f.references.length; i += 3) {
      const kind = f.references[i] ?? 0;
      const to = f.references[i + 2] ?? 0;
      if (kind < reference.address || kind === reference.fall || !inWritable(to)) continue;
      if (kind === reference.address) takenHere(to).add(owner);
      else {
        const access = { owner, address: f.references[i + 1] ?? 0 };
        const list = named.get(to);
        if (list) list.push(access);
        else named.set(to, [access]);
      }
    }
  });
  for (const { kind, target } of filled.values()) {
    if (kind === 'address' && inWritable(target)) takenHere(target);
  }
  const extents: { start: number; end: number; exported: boolean }[] = [];
  const addExtents = (symbols: Elf['symbols'], dynamic: boolean): void => {
    for (const symbol of symbols) {
      if (!symbol.defined || symbol.kind === 'tls' || !inWritable(symbol.address)) continue;
      const exported =
        dynamic &&
        symbol.binding !== 'local' &&
        (symbol.visibility === 'default' || symbol.visibility === 'protected');
      if (symbol.size > 0) {
        extents.push({ start: symbol.address, end: symbol.address + symbol.size, exported });
      } else if (exported) takenHere(symbol.address);
    }
  };
  addExtents(elf.symbols, true);
  addExtents(elf.staticSymbols, false);
  extents.sort((a, b) => a.start - b.start || b.end - a.end);
  const taken = Float64Array.from(takenBy.keys()).sort();
  const namedAt = Float64Array.from(named.keys()).sort();
  const rows = new Instructions();

  const firstFrom = (sorted: Float64Array, address: number): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const anyIn = (sorted: Float64Array, from: number, to: number): boolean =>
    (sorted[firstFrom(sorted, from)] ?? Number.POSITIVE_INFINITY) < to;

  /** The symbol around an address, the largest where they nest. */
  const objectAround = (address: number) => {
    let found: (typeof extents)[number] | undefined;
    for (const extent of extents) {
      if (extent.start > address) break;
      if (
        address < extent.end &&
        (!found || extent.end - extent.start > found.end - found.start || extent.exported)
      )
        found = extent;
    }
    return found;
  };

  const find = (address: number, isVariable: boolean): StaticCell | undefined => {
    const accesses = named.get(address);
    if (!accesses || (elf.tls && address >= elf.tls.address && address < elf.tls.address + elf.tls.fileSize))
      return undefined;
    const stores: CellAccess[] = [];
    const loads: CellAccess[] = [];
    let width = 8;
    for (const access of accesses) {
      const how = accessAt(code, rows, access.address);
      if (!how || how.width > WIDEST) return undefined;
      // A store of a part leaves the rest as it was: the cell is what every access covers.
      if (how.writes || how.reads) width = Math.min(width, how.width);
      if (how.writes) stores.push(access);
      if (how.reads || !how.writes) loads.push(access);
    }
    const end = address + width;
    for (let i = firstFrom(namedAt, address - WIDEST); (namedAt[i] ?? Number.POSITIVE_INFINITY) < end; i++) {
      const start = namedAt[i] ?? 0;
      if (start === address) continue;
      for (const access of named.get(start) ?? []) {
        const how = accessAt(code, rows, access.address);
        if (!how || (how.writes && start + how.width > address)) return undefined;
      }
    }
    const object = objectAround(address);
    if (isVariable) {
      if (object?.exported) return undefined;
    } else if (object) {
      if (object.exported || end > object.end || anyIn(taken, object.start, object.end)) return undefined;
    } else {
      if (anyIn(taken, address - SMALL_OBJECT + 1, end)) return undefined;
      const owners = new Set(accesses.map(({ owner }) => owner));
      for (let i = firstFrom(taken, address - LARGE_OBJECT); (taken[i] ?? address) < address; i++) {
        for (const owner of takenBy.get(taken[i] ?? 0) ?? []) if (owners.has(owner)) return undefined;
      }
    }
    const initial = initialValue(address, width);
    return initial && { address, width, initial, stores, loads };
  };

  const initialValue = (address: number, width: number): StaticCell['initial'] | undefined => {
    for (let at = address - 7; at < address + width; at++) {
      const word = filled.get(at);
      if (!word) continue;
      if (at !== address || word.kind !== 'address' || width < 8) return undefined;
      return { value: word.target, isAddress: true };
    }
    const at = fileOffset(elf, address, width);
    if (at < 0) return fileOffset(elf, address) < 0 ? { value: 0, isAddress: false } : undefined;
    if (width === 8) return { value: elf.view.u64(at), isAddress: false };
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + elf.view.u8(at + i);
    return { value, isAddress: false };
  };

  const cells = new Map<number, StaticCell | undefined>();
  return {
    at(address, width, isVariable = false) {
      const key = isVariable ? -address : address;
      if (!cells.has(key)) cells.set(key, find(address, isVariable));
      const cell = cells.get(key);
      return cell && cell.width >= width ? cell : undefined;
    },
  };
}

/** What the instruction does to the word it names; undefined where that cannot be told. */
function accessAt(code: CodeMap, rows: Instructions, address: number) {
  const segment = code.at(address);
  if (!segment) return undefined;
  rows.clear();
  segment.decode(address, address + 1, rows);
  for (const operand of [0, 1, 2, 3]) {
    const how = memoryAccess(rows, 0, operand);
    if (how.width > 0) return how;
  }
  return undefined;
}
