import type { LibraryGraph } from '@prof-gen/core';

export interface LibraryCallsOptions {
  /** Follow functions whose address a reached function takes, besides those that it calls. */
  readonly addressTaken: boolean;
}

/**
 * Numbers of the system calls that these names lead to inside of a library of one or several files: a name leads to
 * the functions of that name in any of them, wherever else it may be bound.
 */
export function libraryCalls(
  graphs: readonly LibraryGraph[],
  names: Iterable<string>,
  { addressTaken }: LibraryCallsOptions,
): ReadonlySet<number> {
  const byName = new Map<string, [graph: number, position: number][]>();
  graphs.forEach((graph, g) => {
    graph.forEach(({ exports }, position) => {
      for (const name of exports) {
        const known = byName.get(name);
        if (known) known.push([g, position]);
        else byName.set(name, [[g, position]]);
      }
    });
  });
  const reached = graphs.map((graph) => new Uint8Array(graph.length));
  const waiting = [...names].flatMap((name) => byName.get(name) ?? []);
  const calls = new Set<number>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [g, position] = next;
    const found = graphs[g]?.[position];
    const marks = reached[g];
    if (found === undefined || marks === undefined || marks[position] === 1) continue;
    marks[position] = 1;
    for (const number of found.syscalls) calls.add(number);
    for (const to of addressTaken ? [...found.calls, ...found.takes] : found.calls) waiting.push([g, to]);
    for (const name of found.imports) waiting.push(...(byName.get(name) ?? []));
  }
  return calls;
}
