import type { FunctionGuards, GuardFinder } from '../function/guards.js';
import { components } from './condense.js';
import type { EdgeRows } from './edge-list.js';

/** A way out of a function by one of its instructions. */
export interface CodeEdge {
  readonly from: number;
  readonly to: number;
  readonly kind: number;
  readonly address: number;
  /** A call or jump: it hands over the registers as they are. */
  readonly isCall: boolean;
}

/** Which functions have guards, and the registers that each of them has to be told. */
export interface GuardPlan {
  of(owner: number): FunctionGuards | undefined;
  readonly parameters: ReadonlyMap<number, ReadonlySet<number>>;
}

/** Calls that so large a part of all functions reach tell nothing about one of them. */
const COMMON = 0.4;
/** Instructions interpreted for the guards of one file. */
const MAX_INTERPRETED = 400_000;
const WORDS = 16;

/**
 * Functions worth interpreting: one of their ways out reaches a system call that no other of theirs does, and
 * that is not reached from almost everywhere. A function that is left out only has no guards.
 */
function candidates(
  functions: number,
  rows: EdgeRows,
  sites: readonly { readonly node: number; readonly number: number }[],
): number[] {
  const nodes = rows.start.length - 1;
  const { count, of } = components(rows, new Uint8Array(nodes).fill(1));
  const reach = new Uint32Array(count * WORDS);
  const mark = (set: Uint32Array, at: number, number: number): void => {
    const word = at * WORDS + (number >>> 5);
    set[word] = ((set[word] ?? 0) | (1 << (number & 31))) >>> 0;
  };
  const own = new Map<number, number[]>();
  for (const { node, number } of sites) {
    mark(reach, of[node] ?? 0, number);
    const list = own.get(node);
    if (list) list.push(number);
    else own.set(node, [number]);
  }
  // Components are numbered so that what they lead to has been done before.
  const members = Int32Array.from({ length: nodes }, (_, node) => node).sort(
    (a, b) => (of[a] ?? 0) - (of[b] ?? 0),
  );
  for (let pass = 0; pass < 2; pass++) {
    for (const node of members) {
      const into = (of[node] ?? 0) * WORDS;
      for (let i = rows.start[node] ?? 0; i < (rows.start[node + 1] ?? 0); i++) {
        const from = (of[rows.to[i] ?? 0] ?? 0) * WORDS;
        if (from === into) continue;
        for (let w = 0; w < WORDS; w++) reach[into + w] = (reach[into + w] ?? 0) | (reach[from + w] ?? 0);
      }
    }
  }
  const frequency = new Uint32Array(WORDS * 32);
  let reaching = 0;
  for (let node = 0; node < functions; node++) {
    let any = 0;
    for (let w = 0; w < WORDS; w++) {
      let word = reach[(of[node] ?? 0) * WORDS + w] ?? 0;
      any |= word;
      for (; word !== 0; word &= word - 1) {
        const number = w * 32 + 31 - Math.clz32(word & -word);
        frequency[number] = (frequency[number] ?? 0) + 1;
      }
    }
    if (any !== 0) reaching++;
  }
  const rare = new Uint32Array(WORDS);
  frequency.forEach((times, number) => {
    if (times <= reaching * COMMON) mark(rare, 0, number);
  });
  const found: number[] = [];
  const [once, twice] = [new Uint32Array(WORDS), new Uint32Array(WORDS)];
  for (let node = 0; node < functions; node++) {
    once.fill(0);
    twice.fill(0);
    for (const number of own.get(node) ?? []) {
      const word = number >>> 5;
      const bit = (1 << (number & 31)) >>> 0;
      twice[word] = (twice[word] ?? 0) | ((once[word] ?? 0) & bit);
      once[word] = (once[word] ?? 0) | bit;
    }
    for (let i = rows.start[node] ?? 0; i < (rows.start[node + 1] ?? 0); i++) {
      if (rows.to[i] === node) continue;
      const from = (of[rows.to[i] ?? 0] ?? 0) * WORDS;
      for (let w = 0; w < WORDS; w++) {
        const word = reach[from + w] ?? 0;
        twice[w] = (twice[w] ?? 0) | ((once[w] ?? 0) & word);
        once[w] = (once[w] ?? 0) | word;
      }
    }
    for (let w = 0; w < WORDS; w++) {
      if (((once[w] ?? 0) & ~(twice[w] ?? 0) & (rare[w] ?? 0)) === 0) continue;
      found.push(node);
      break;
    }
  }
  return found;
}

/**
 * Chooses the functions whose guards are kept: candidates, `always`, and, as far back as parameters are passed on,
 * the callers of functions that look at their parameters.
 */
export function planGuards(
  finder: GuardFinder,
  functions: readonly { readonly instructions: number }[],
  rows: EdgeRows,
  codeEdges: readonly CodeEdge[],
  sites: readonly { readonly node: number; readonly number: number }[],
  always: readonly number[],
): GuardPlan {
  const callers = new Map<number, CodeEdge[]>();
  for (const edge of codeEdges) {
    if (!edge.isCall) continue;
    const list = callers.get(edge.to);
    if (list) list.push(edge);
    else callers.set(edge.to, [edge]);
  }
  let budget = MAX_INTERPRETED;
  const asked = new Map<number, FunctionGuards | undefined>();
  const of = (owner: number): FunctionGuards | undefined => {
    if (asked.has(owner)) return asked.get(owner);
    const size = functions[owner]?.instructions ?? 0;
    budget -= size;
    const guards = budget < 0 ? undefined : finder.of(owner);
    asked.set(owner, guards);
    return guards;
  };
  const parameters = new Map<number, Set<number>>();
  const queue: number[] = [];
  const need = (owner: number, registers: Iterable<number>): void => {
    const known = parameters.get(owner) ?? new Set();
    const before = known.size;
    for (const register of registers) known.add(register);
    if (known.size === before) return;
    parameters.set(owner, known);
    queue.push(owner);
  };
  for (const owner of [...always, ...candidates(functions.length, rows, sites)]) {
    need(owner, of(owner)?.parameters ?? []);
  }
  for (let owner = queue.shift(); owner !== undefined; owner = queue.shift()) {
    const wanted = parameters.get(owner);
    for (const { from, address } of callers.get(owner) ?? []) {
      const guards = of(from);
      if (!guards) continue;
      need(from, guards.parameters);
      for (const [register, parts] of guards.at(address).arguments) {
        if (!wanted?.has(register)) continue;
        const passed = parts.flatMap((part) =>
          typeof part !== 'number' && part.subject.kind === 'parameter' ? [part.subject.register] : [],
        );
        need(from, passed);
      }
    }
  }
  return { of: (owner) => asked.get(owner), parameters };
}
