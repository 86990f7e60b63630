import type { EdgeRows } from './edge-list.js';

/** A graph's strongly connected components, numbered so that every edge leads to a lower or the same number. */
export interface Components {
  readonly count: number;
  /** By node; -1 for nodes that were left out. */
  readonly of: Int32Array;
}

/**
 * Tarjan's algorithm without recursion, over the kept nodes.
 * @param alone nodes that must not be joined with others; edges to them may lead to any number
 */
export function components(
  { start, to: targets }: EdgeRows,
  keep: Uint8Array,
  alone?: Uint8Array,
): Components {
  const n = keep.length;
  const of = new Int32Array(n).fill(-1);
  const order = new Int32Array(n).fill(-1);
  const low = new Int32Array(n);
  const position = start.slice(0, n);
  const stack: number[] = [];
  const path: number[] = [];
  let clock = 0;
  let count = 0;
  for (let root = 0; root < n; root++) {
    if (keep[root] === 0 || order[root] !== -1) continue;
    path.push(root);
    while (path.length > 0) {
      const node = path[path.length - 1] ?? 0;
      if (order[node] === -1) {
        order[node] = low[node] = clock++;
        stack.push(node);
      }
      const end = start[node + 1] ?? 0;
      let descended = false;
      for (let i = position[node] ?? 0; i < end; i++) {
        const to = targets[i] ?? 0;
        if (keep[to] === 0 || alone?.[to] === 1) continue;
        if (order[to] === -1) {
          position[node] = i;
          path.push(to);
          descended = true;
          break;
        }
        if (of[to] === -1) low[node] = Math.min(low[node] ?? 0, low[to] ?? 0);
      }
      if (descended) continue;
      path.pop();
      if (low[node] === order[node]) {
        for (;;) {
          const member = stack.pop() ?? 0;
          of[member] = count;
          if (member === node) break;
        }
        count++;
      }
    }
  }
  return { count, of };
}

/** Nodes from which a marked one can be reached. */
export function reaching({ start, to }: EdgeRows, nodes: number, marked: Iterable<number>): Uint8Array {
  const backwardStart = new Int32Array(nodes + 1);
  for (let i = 0; i < to.length; i++) {
    const after = (to[i] ?? 0) + 1;
    backwardStart[after] = (backwardStart[after] ?? 0) + 1;
  }
  for (let node = 0; node < nodes; node++) {
    backwardStart[node + 1] = (backwardStart[node + 1] ?? 0) + (backwardStart[node] ?? 0);
  }
  const next = backwardStart.slice(0, nodes);
  const sources = new Int32Array(to.length);
  for (let from = 0; from < nodes; from++) {
    for (let i = start[from] ?? 0; i < (start[from + 1] ?? 0); i++) {
      const node = to[i] ?? 0;
      const at = next[node] ?? 0;
      next[node] = at + 1;
      sources[at] = from;
    }
  }
  const keep = new Uint8Array(nodes);
  const work: number[] = [];
  const visit = (node: number): void => {
    if (keep[node] === 1) return;
    keep[node] = 1;
    work.push(node);
  };
  for (const node of marked) visit(node);
  while (work.length > 0) {
    const node = work.pop() ?? 0;
    for (let i = backwardStart[node] ?? 0; i < (backwardStart[node + 1] ?? 0); i++) visit(sources[i] ?? 0);
  }
  return keep;
}
