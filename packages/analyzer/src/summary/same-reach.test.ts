import { describe, expect, it } from 'vitest';
import type { EdgeRows } from './edge-list.js';
import { type Condensed, joinSameReach } from './same-reach.js';

type Way = readonly [to: number, kind: number];

function rows(lists: readonly (readonly Way[])[]): EdgeRows {
  const start = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => {
    start[i + 1] = (start[i] ?? 0) + list.length;
  });
  return {
    start,
    to: Int32Array.from(lists.flat().map(([to]) => to)),
    kind: Uint8Array.from(lists.flat().map(([, kind]) => kind)),
  };
}

/** Components that are one node each; `edges[i]` and `imports[i]` are what component i leads to. */
function graph(edges: readonly (readonly number[])[], imports: readonly (readonly number[])[]): Condensed {
  return {
    count: edges.length,
    of: Int32Array.from(edges, (_, i) => i),
    edges: rows(edges.map((list) => list.map((to) => [to, 0]))),
    imports: rows(imports.map((list) => list.map((to) => [to, 0]))),
  };
}

const marks = (count: number, ...set: number[]): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (set.includes(i) ? 1 : 0));

const waysOf = ({ start, to }: EdgeRows): number[][] =>
  Array.from({ length: start.length - 1 }, (_, i) => [...to.subarray(start[i], start[i + 1])]);

/** Imports, and components with facts by their number before, that a walk from a node comes to. */
function reached({ of, edges, imports }: Condensed, node: number, own: Uint8Array): string[] {
  const [to, symbols] = [waysOf(edges), waysOf(imports)];
  const names = new Map<number, string[]>();
  own.forEach((one, original) => {
    const component = of[original] ?? -1;
    if (one === 1) names.set(component, [...(names.get(component) ?? []), `fact ${original}`]);
  });
  const seen = new Set<number>();
  const found = new Set<string>();
  const work = [of[node] ?? -1];
  for (let here = work.pop(); here !== undefined; here = work.pop()) {
    if (seen.has(here)) continue;
    seen.add(here);
    for (const symbol of symbols[here] ?? []) found.add(`import ${symbol}`);
    for (const name of names.get(here) ?? []) found.add(name);
    work.push(...(to[here] ?? []));
  }
  return [...found].sort();
}

describe('joinSameReach', () => {
  it('joins a component with the only one that it leads to', () => {
    const joined = joinSameReach(graph([[], [0], [1]], [[7], [], []]), { own: marks(3), given: marks(3) });
    expect([...joined.of]).toEqual([0, 0, 0]);
    expect(waysOf(joined.imports)).toEqual([[7]]);
  });

  it('keeps one that is given something apart from who leads to it', () => {
    const own = marks(2, 0);
    const joined = joinSameReach(graph([[], [0]], [[7], []]), { own, given: own });
    expect([...joined.of]).toEqual([0, 1]);
  });

  it('leaves out an edge beside a way of two', () => {
    const own = marks(3, 0, 1, 2);
    const joined = joinSameReach(graph([[], [0], [0, 1]], [[7], [8], [7, 8]]), { own, given: marks(3) });
    expect(waysOf(joined.edges)).toEqual([[], [0], [1]]);
    expect(waysOf(joined.imports)).toEqual([[7], [8], []]);
  });

  it('keeps one of two ways that lead to each other', () => {
    const own = marks(3, 0, 1);
    const joined = joinSameReach(graph([[1], [0], [0, 1]], [[7], [8], []]), { own, given: marks(3) });
    expect([...joined.of]).toEqual([0, 1, 1]);
  });

  it('changes nothing that is reached from anywhere, in 300 random graphs', () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 0x7fff_ffff;
      return seed % below;
    };
    let fewer = 0;
    for (let round = 0; round < 300; round++) {
      const count = 2 + random(30);
      const own = Uint8Array.from({ length: count }, () => (random(4) === 0 ? 1 : 0));
      const given = own.map((one) => (one === 1 && random(2) === 0 ? 1 : 0));
      const list = (size: number, below: number): number[] =>
        [...new Set(Array.from({ length: random(size) }, () => random(below)))].sort((a, b) => a - b);
      const edges = Array.from({ length: count }, (_, from) =>
        // To lower ones, and to any that have facts of their own.
        list(5, count).filter((to) => to < from || (to !== from && own[to] === 1)),
      );
      const before = graph(
        edges,
        edges.map(() => list(3, 6)),
      );
      const after = joinSameReach(before, { own, given });
      fewer += before.count - after.count;
      for (let node = 0; node < count; node++) {
        expect(reached(after, node, own)).toEqual(reached(before, node, own));
      }
    }
    expect(fewer).toBeGreaterThan(300);
  });
});
