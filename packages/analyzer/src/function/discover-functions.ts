import { ProfGenError } from '@prof-gen/core/base';
import { type Elf, isCode, relocationType } from '../elf/elf.js';
import type { CodeMap } from './code-map.js';
import { constantArguments } from './constant-arguments.js';
import { type CodeRange, unwindRanges } from './eh-frame.js';
import {
  type FunctionCode,
  FunctionScanner,
  type ImageRange,
  reference,
  type RelativeImage,
} from './scan-function.js';
import { surelyFaults } from './surely-faults.js';

/** All code of a file that something refers to or an unwind entry describes, by address. */
export interface FunctionTable {
  readonly functions: readonly FunctionCode[];
  /** The function whose code includes the address. */
  at(address: number): FunctionCode | undefined;
  /** Position of that function in `functions`, or -1. */
  indexAt(address: number): number;
  /** End of the function before the address and start of the one after it, for an address in none. */
  around(address: number): readonly number[];
  readonly unwindEntries: number;
  /** Direct calls and jumps into executable memory that the section headers do not call code: by instruction. */
  readonly astray: ReadonlyMap<number, number>;
}

/**
 * Code bytes scanned over all rounds of "scan, then learn of new starts and entries", as a multiple of the file's code:
 * a bound on hostile files. Most need four rounds; libLLVM, whose assembly has no unwind entries, 229 small ones.
 */
const MAX_RESCAN = 24;
/** What a round costs for each function that is known, in bytes scanned. */
const ROUND_COST = 8;

type Target = 'start' | 'call' | 'jump' | 'pointer';

export interface DiscoverOptions {
  /** Code addresses that data words hold (relocated or, in position-dependent files, found by scanning). */
  readonly pointers: Iterable<number>;
  /** Exact ranges from another table (Go's). */
  readonly ranges?: readonly CodeRange[];
  readonly absolute: ImageRange | undefined;
  /** Whether a function has none of those, by its start: its compiler writes addresses relative to rip only. */
  readonly isRelative: (start: number) => boolean;
  /** Where code may reckon addresses from the global offset table. */
  readonly relative: RelativeImage | undefined;
  /** Whether the address is a PLT stub: a door to another function, not a function. */
  readonly isStub: (address: number) => boolean;
  /** Whether constants are wanted at a call or jump of this kind (`reference`) and target. */
  readonly wantsConstants: (kind: number, to: number) => boolean;
}

/**
 * Finds functions: extents from unwind entries where there are any; elsewhere cut at symbols, call targets
 * and pointer targets. The union is never smaller than what control can reach from those starts.
 * @throws ProfGenError `elf/too-complex`
 */
export function discoverFunctions(elf: Elf, code: CodeMap, options: DiscoverOptions): FunctionTable {
  const { absolute, isStub } = options;
  const unwind = unwindRanges(elf);
  const functions = new Map<number, FunctionCode>();
  const ranges = [...unwind, ...(options.ranges ?? [])].sort((a, b) => a.start - b.start);
  for (const range of ranges) {
    const segment = code.at(range.start);
    if (!segment || functions.has(range.start)) continue;
    functions.set(
      range.start,
      newFunction(range.start, Math.min(range.end, segment.end), true, range.landingPads),
    );
  }
  let sorted: FunctionCode[] = [];
  let starts = new Float64Array(0);
  const dirty = new Set<FunctionCode>();
  const piecesOf = new Map<FunctionCode, FunctionCode[]>();
  /** Sorts, ends each function where the next starts, and marks those that this changes. */
  const settle = (): void => {
    if (functions.size === sorted.length) return;
    sorted = withNew(sorted, [...functions.values()].slice(sorted.length));
    starts = Float64Array.from(sorted, (f) => f.start);
    const displaced: [number, 'entries' | 'labels'][] = [];
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [here, next] = [sorted[i], sorted[i + 1]];
      if (!here || !next || here.end <= next.start) continue;
      here.end = next.start;
      dirty.add(here);
      for (const kind of ['entries', 'labels'] as const) {
        for (const address of here[kind]) if (address >= here.end) displaced.push([address, kind]);
        here[kind] = new Set([...here[kind]].filter((address) => address < here.end));
      }
    }
    for (const [address, kind] of displaced) {
      const holder = sorted[indexAt(address)];
      if (!holder || holder.start === address) continue;
      holder[kind] = including(holder[kind], address);
      dirty.add(holder);
    }
  };
  const before = (address: number): number => {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const indexAt = (address: number): number => {
    const index = before(address);
    const found = sorted[index];
    return found && address < found.end ? index : -1;
  };
  settle();
  for (const f of sorted) dirty.add(f);

  const scanner = new FunctionScanner(options.relative);
  let budget = 1_000_000;
  for (const segment of code.segments) budget += (segment.end - segment.start) * MAX_RESCAN;

  const learn = (address: number, how: Target): void => {
    const known = functions.get(address);
    if (known?.pointedOnly && how !== 'pointer' && !isStub(address)) known.pointedOnly = false;
    if (known) return;
    const segment = code.at(address);
    if (!segment || isStub(address)) return;
    const index = indexAt(address);
    const holder = sorted[index];
    if (holder?.exact) {
      const into = how === 'pointer' ? 'labels' : 'entries';
      if (holder.entries.has(address) || holder[into].has(address)) return;
      holder[into] = including(holder[into], address);
      if (!scanner.isFollowed(segment, address)) dirty.add(holder);
      return;
    }
    // A jump into what the holder reaches itself is a shared tail; elsewhere it is a tail call of another function.
    if (holder && how === 'jump' && !inGap(holder, address)) {
      if (holder.entries.has(address)) return;
      holder.entries = including(holder.entries, address);
      if (!scanner.isFollowed(segment, address)) dirty.add(holder);
      return;
    }
    if (how === 'pointer' && surelyFaults(segment, address)) return;
    const after = sorted[before(address) + 1];
    const end = Math.min(holder?.end ?? Number.POSITIVE_INFINITY, after?.start ?? segment.end, segment.end);
    const cut = newFunction(address, end, false, false);
    cut.pointedOnly = how === 'pointer';
    if (holder) {
      cut.cutFrom = holder;
      const others = piecesOf.get(holder);
      if (others) others.push(cut);
      else piecesOf.set(holder, [cut]);
    }
    functions.set(address, cut);
    dirty.add(cut);
  };

  for (const symbol of [...elf.symbols, ...elf.staticSymbols]) {
    if (symbol.defined && (symbol.kind === 'function' || symbol.kind === 'ifunc'))
      learn(symbol.address, 'start');
  }
  for (const address of [elf.entry, ...elf.init]) if (isCode(elf, address)) learn(address, 'start');
  const { relocations } = elf;
  for (let i = 0; i < relocations.count; i++) {
    if (relocations.type[i] === relocationType.irelative) learn(relocations.addend[i] ?? 0, 'start');
  }
  settle();
  for (const address of options.pointers) learn(address, 'pointer');
  settle();

  const astray = new Map<number, number>();
  while (dirty.size > 0) {
    budget -= ROUND_COST * functions.size;
    const targets: number[] = [];
    const ways: Target[] = [];
    const learnLater = (to: number, how: Target): void => {
      targets.push(to);
      ways.push(how);
    };
    for (const f of [...dirty].sort((a, b) => a.start - b.start)) {
      dirty.delete(f);
      const segment = code.at(f.start);
      if (!segment) continue;
      budget -= f.end - f.start;
      if (budget < 0) throw tooComplex('its functions overlap too often');
      const wasIndirect = f.indirectJump;
      const exits = scanner.scan(f, segment, options.isRelative(f.start) ? undefined : absolute);
      f.constants = constantArguments(f, scanner, options.wantsConstants);
      // What only a pointer calls a function may be the code behind a call that returns.
      if (scanner.endsWithCall && functions.get(f.end)?.pointedOnly) exits.add(f.end);
      for (const to of exits) {
        const next = sorted[before(f.start) + 1];
        if (functions.has(to) || to > f.end) {
          f.references = [...f.references, reference.fall, f.end - 1, to];
          learnLater(to, 'jump');
        } else if (to < Math.min(next?.start ?? segment.end, segment.end)) {
          // The unwind entry ends before the code does, as that of `clone`.
          f.end = Math.min(next?.start ?? segment.end, segment.end);
          dirty.add(f);
        }
      }
      if (f.indirectJump && !wasIndirect) {
        for (const piece of piecesOf.get(f) ?? []) dirty.add(piece);
      }
      for (let i = 0; i < f.references.length; i += 3) {
        const kind = f.references[i];
        const to = f.references[i + 2] ?? 0;
        if ((kind === reference.call || kind === reference.jump) && !code.at(to) && isCode(elf, to)) {
          astray.set(f.references[i + 1] ?? 0, to);
        }
        if (kind === reference.call) learnLater(to, 'call');
        else if (kind === reference.jump) learnLater(to, 'jump');
        else if (kind === reference.address && code.at(to)) learnLater(to, 'pointer');
      }
    }
    for (let i = 0; i < targets.length; i++) learn(targets[i] ?? 0, ways[i] ?? 'call');
    settle();
  }
  return {
    functions: sorted,
    at: (address) => sorted[indexAt(address)],
    indexAt,
    around(address) {
      const index = before(address);
      return [sorted[index]?.end, sorted[index + 1]?.start].filter((bound) => bound !== undefined);
    },
    unwindEntries: unwind.length,
    astray,
  };
}

function inGap(holder: FunctionCode, address: number): boolean {
  for (let i = 0; i < holder.gaps.length; i += 2) {
    if (address >= (holder.gaps[i] ?? 0) && address < (holder.gaps[i + 1] ?? 0)) return true;
  }
  return false;
}

/** Two lists as one in order of their starts; the first has that order. */
function withNew(sorted: readonly FunctionCode[], others: FunctionCode[]): FunctionCode[] {
  others.sort((a, b) => a.start - b.start);
  const merged: FunctionCode[] = [];
  let next = 0;
  for (const here of sorted) {
    for (let other = others[next]; other && other.start < here.start; other = others[++next])
      merged.push(other);
    merged.push(here);
  }
  return merged.concat(others.slice(next));
}

const none: ReadonlySet<number> = new Set();

/** Most functions have no entry besides their start, so they share one empty set. */
function including(set: ReadonlySet<number>, address: number): ReadonlySet<number> {
  return set.size === 0 ? new Set([address]) : (set as Set<number>).add(address);
}

function newFunction(start: number, end: number, exact: boolean, landingPads: boolean): FunctionCode {
  return {
    start,
    end,
    exact,
    landingPads,
    entries: none,
    labels: none,
    references: [],
    gaps: [],
    syscalls: [],
    legacyCalls: [],
    indirectJump: false,
    pointedOnly: false,
    returns: false,
    instructions: 0,
  };
}

function tooComplex(why: string): ProfGenError {
  return new ProfGenError('elf/too-complex', `The file's code cannot be cut into functions: ${why}`, {
    hint: 'No compiler writes such a file. Leave it out, or report it if it is genuine.',
  });
}
