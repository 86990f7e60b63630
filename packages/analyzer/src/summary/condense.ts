/** A graph's strongly connected components, numbered so that every edge leads to a lower or the same number. */
export interface Components {
  readonly count: number;
  /** By node; -1 for nodes that were left out. */
  readonly of: Int32Array;
}

/** Tarjan's algorithm without recursion, over the kept nodes. */
export function components(edges: readonly (readonly number[])[], keep: Uint8Array): Components {
  const n = edges.length;
  const of = new Int32Array(n).fill(-1);
  const order = new Int32Array(n).fill(-1);
  const low = new Int32Array(n);
  const position = new Int32Array(n);
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
      const out = edges[node] ?? [];
      let descended = false;
      for (let i = position[node] ?? 0; i < out.length; i += 2) {
        const to = out[i] ?? 0;
        if (keep[to] === 0) continue;
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
export function reaching(edges: readonly (readonly number[])[], marked: Iterable<number>): Uint8Array {
  const backward: number[][] = edges.map(() => []);
  edges.forEach((out, from) => {
    for (let i = 0; i < out.length; i += 2) backward[out[i] ?? 0]?.push(from);
  });
  const keep = new Uint8Array(edges.length);
  const work: number[] = [];
  const visit = (node: number): void => {
    if (keep[node] === 1) return;
    keep[node] = 1;
    work.push(node);
  };
  for (const node of marked) visit(node);
  while (work.length > 0) for (const from of backward[work.pop() ?? 0] ?? []) visit(from);
  return keep;
}
