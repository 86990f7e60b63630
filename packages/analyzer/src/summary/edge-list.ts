/** Edges by node: those of node n stand at positions `start[n]` to `start[n + 1]` of the columns. */
export interface EdgeRows {
  readonly start: Int32Array;
  readonly to: Int32Array;
  readonly kind: Uint8Array;
}

/**
 * Edges as they are found, in any order. Columns instead of an array for each node: a large file has some
 * hundred thousand nodes, and most have an edge or two.
 */
export class EdgeList {
  #from = new Int32Array(4096);
  #to = new Int32Array(4096);
  #kind = new Uint8Array(4096);
  #count = 0;

  add(from: number, to: number, kind: number): void {
    if (this.#count === this.#from.length) {
      this.#from = enlarged(this.#from);
      this.#to = enlarged(this.#to);
      const kinds = new Uint8Array(this.#count * 2);
      kinds.set(this.#kind);
      this.#kind = kinds;
    }
    const at = this.#count++;
    this.#from[at] = from;
    this.#to[at] = to;
    this.#kind[at] = kind;
  }

  copy(): EdgeList {
    const copy = new EdgeList();
    copy.#from = this.#from.slice();
    copy.#to = this.#to.slice();
    copy.#kind = this.#kind.slice();
    copy.#count = this.#count;
    return copy;
  }

  /** Sorted by node (counting sort); edges of one node keep their order. */
  rows(nodes: number): EdgeRows {
    const count = this.#count;
    const from = this.#from;
    const start = new Int32Array(nodes + 1);
    for (let i = 0; i < count; i++) {
      const after = (from[i] ?? 0) + 1;
      start[after] = (start[after] ?? 0) + 1;
    }
    for (let node = 0; node < nodes; node++) start[node + 1] = (start[node + 1] ?? 0) + (start[node] ?? 0);
    const next = start.slice(0, nodes);
    const to = new Int32Array(count);
    const kind = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const node = from[i] ?? 0;
      const at = next[node] ?? 0;
      next[node] = at + 1;
      to[at] = this.#to[i] ?? 0;
      kind[at] = this.#kind[i] ?? 0;
    }
    return { start, to, kind };
  }
}

function enlarged(column: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}
