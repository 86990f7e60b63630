import type { Components } from './condense.js';
import type { EdgeRows } from './edge-list.js';

/** Components with the edges between them and to imports: sorted, each target once. */
export interface Condensed extends Components {
  readonly edges: EdgeRows;
  readonly imports: EdgeRows;
}

/** By component: what it has besides edges. */
export interface Facts {
  /** 1 where something is known of it alone. */
  readonly own: Uint8Array;
  /** 1 where it matters what it is given; these have facts of their own. */
  readonly given: Uint8Array;
}

/** Ways out of a component, ascending; `kind` belongs to `to`. */
interface Row {
  readonly to: readonly number[];
  readonly kind: readonly number[];
  readonly imports: readonly number[];
}

/** Kinds are one byte. */
const KINDS = 256;
/** Ways that are compared in all: a hostile file with many long rows must not cost minutes. */
const maximumSteps = 20_000_000;

/**
 * Leaves out what makes no difference to what is reached: an edge beside a way of two edges to the same end, a
 * component that only leads on to one other, and all but one of those that lead to the same. C++ has many of each.
 * Edges must lead to lower numbers, but for those to components with facts of their own.
 */
export function joinSameReach(condensed: Condensed, { own, given }: Facts): Condensed {
  const { count, of, edges, imports } = condensed;
  /** By component: the one that stands for it, itself or a lower one. */
  const standsFor = Int32Array.from({ length: count }, (_, component) => component);
  const rows: Row[] = [];
  const byWays = new Map<string, number>();
  const withoutDetours = detourFilter(rows, count);
  for (let component = 0; component < count; component++) {
    const row = withoutDetours(rowOf(component, edges, imports, standsFor), component);
    rows.push(row);
    if (own[component] === 1) continue;
    const [only = 0] = row.to;
    if (row.to.length === 1 && row.imports.length === 0 && given[only] === 0) {
      standsFor[component] = only;
      continue;
    }
    const ways = `${row.to.join(' ')},${row.imports.join(' ')}`;
    const same = byWays.get(ways);
    if (same === undefined) byWays.set(ways, component);
    else standsFor[component] = same;
  }
  return renumbered(of, standsFor, rows);
}

/** With what stands for the targets, each once with its lowest kind, and without what leads back. */
function rowOf(component: number, edges: EdgeRows, imports: EdgeRows, standsFor: Int32Array): Row {
  const ways: number[] = [];
  for (let i = edges.start[component] ?? 0; i < (edges.start[component + 1] ?? 0); i++) {
    const target = standsFor[edges.to[i] ?? 0] ?? 0;
    if (target !== component) ways.push(target * KINDS + (edges.kind[i] ?? 0));
  }
  if (ways.length > 1) ways.sort((a, b) => a - b);
  const to: number[] = [];
  const kind: number[] = [];
  for (const way of ways) {
    const target = Math.floor(way / KINDS);
    if (target === to[to.length - 1]) continue;
    to.push(target);
    kind.push(way % KINDS);
  }
  return {
    to,
    kind,
    imports: [...imports.to.subarray(imports.start[component], imports.start[component + 1])],
  };
}

/** Leaves out of a component's row what one of its targets leads to as well, as the rows of lower ones say. */
function detourFilter(rows: readonly Row[], count: number): (row: Row, component: number) => Row {
  /** By component and by import: the last one that was found to lead there by two edges, plus one. */
  const reachedBy = new Int32Array(count);
  const importedBy = new Map<number, number>();
  let steps = 0;
  return (row, component) => {
    const mark = component + 1;
    const to: number[] = [];
    const kind: number[] = [];
    // Higher ones first, since ways lead down; what is left out must be led to by one that is kept.
    for (let i = row.to.length - 1; i >= 0; i--) {
      const target = row.to[i] ?? 0;
      const isKept = reachedBy[target] !== mark;
      if (isKept) {
        to.push(target);
        kind.push(row.kind[i] ?? 0);
      }
      // Of a component that comes later nothing is known yet.
      const next = target < component ? rows[target] : undefined;
      if (next === undefined || steps > maximumSteps) continue;
      steps += next.to.length + next.imports.length;
      if (isKept) for (const one of next.to) reachedBy[one] = mark;
      if (row.imports.length > 0) for (const symbol of next.imports) importedBy.set(symbol, mark);
    }
    return {
      to: to.reverse(),
      kind: kind.reverse(),
      imports: row.imports.filter((symbol) => importedBy.get(symbol) !== mark),
    };
  };
}

/** Only those that stand for themselves, in their order. */
function renumbered(of: Int32Array, standsFor: Int32Array, rows: readonly Row[]): Condensed {
  const number = new Int32Array(standsFor.length);
  const kept: Row[] = [];
  standsFor.forEach((stand, component) => {
    if (stand === component) number[component] = kept.push(rows[component] as Row) - 1;
  });
  const numberOf = (component: number): number => number[standsFor[component] ?? 0] ?? 0;
  return {
    count: kept.length,
    of: of.map((component) => (component < 0 ? -1 : numberOf(component))),
    edges: columns(kept.map(({ to, kind }) => ({ to: to.map(numberOf), kind }))),
    imports: columns(kept.map(({ imports }) => ({ to: imports, kind: imports.map(() => 0) }))),
  };
}

function columns(
  rows: readonly { readonly to: readonly number[]; readonly kind: readonly number[] }[],
): EdgeRows {
  const start = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    start[i + 1] = (start[i] ?? 0) + row.to.length;
  });
  const to = new Int32Array(start[rows.length] ?? 0);
  const kind = new Uint8Array(to.length);
  rows.forEach((row, i) => {
    to.set(row.to, start[i]);
    kind.set(row.kind, start[i]);
  });
  return { start, to, kind };
}
