import { compareStrings, type LibraryFunction, type LibraryGraph } from '@prof-gen/core';
import { edgeKinds, type FileDetail, nodeKinds } from '../summary/file-summary.js';

const address = edgeKinds.indexOf('address');
const data = nodeKinds.indexOf('data');

interface Draft {
  readonly exports: Set<string>;
  readonly calls: Set<number>;
  readonly takes: Set<number>;
  readonly imports: Set<string>;
  readonly syscalls: Set<number>;
}

/**
 * The call graph of a library, conditions of its ways left out: who calls whom, and whose address a function takes. What
 * stands in data (tables of functions) is not followed, but for the slots that calls go through.
 */
export function libraryGraph({ graph, kinds }: FileDetail): LibraryGraph {
  const drafts: Draft[] = Array.from({ length: graph.nodes }, () => ({
    exports: new Set(),
    calls: new Set(),
    takes: new Set(),
    imports: new Set(),
    syscalls: new Set(),
  }));
  const join = (from: number, to: number, kind: number | undefined): void => {
    if (kinds[from] === data || kinds[to] === data) return;
    const draft = drafts[from];
    (kind === address ? draft?.takes : draft?.calls)?.add(to);
  };
  for (let node = 0; node < graph.nodes; node++) {
    for (let i = graph.edgeStart[node] ?? 0; i < (graph.edgeStart[node + 1] ?? 0); i++) {
      join(node, graph.edgeTo[i] ?? 0, graph.edgeKind[i]);
    }
    for (let i = graph.importStart[node] ?? 0; i < (graph.importStart[node + 1] ?? 0); i++) {
      const symbol = graph.imports[graph.importOf[i] ?? 0];
      if (symbol !== undefined) drafts[node]?.imports.add(symbol.name);
    }
  }
  for (const { node, to, isImport, kind } of graph.guarded) {
    const symbol = graph.imports[to];
    if (!isImport) join(node, to, kind);
    else if (symbol !== undefined) drafts[node]?.imports.add(symbol.name);
  }
  for (const { node, number } of graph.sites) drafts[node]?.syscalls.add(number);
  for (const { node, numbers } of graph.numberedCalls) {
    for (const number of numbers) drafts[node]?.syscalls.add(number);
  }
  for (const { name, node } of graph.exports) if (node >= 0) drafts[node]?.exports.add(name);
  return drafts.map((draft): LibraryFunction => {
    const numbers = (set: ReadonlySet<number>): number[] => [...set].sort((a, b) => a - b);
    const texts = (set: ReadonlySet<string>): string[] => [...set].sort(compareStrings);
    return {
      exports: texts(draft.exports),
      calls: numbers(draft.calls),
      takes: numbers(draft.takes),
      imports: texts(draft.imports),
      syscalls: numbers(draft.syscalls),
    };
  });
}
