import { flow, flowOf } from '../decode/instructions.js';
import type { FunctionCode, FunctionScanner } from './scan-function.js';

/** Basic blocks of the function that was scanned last. */
export interface FlowGraph {
  /** Addresses of the reached instructions, in their order. */
  readonly addresses: readonly number[];
  /**
   * Heads of blocks in reverse postorder: when blocks are run in it, those that lead to one have been run before, as far
   * as loops allow (Aho and others, Compilers, 9.6.6). A block's rank is its position.
   */
  readonly heads: readonly number[];
  /** By row of an instruction: the rank of the block that begins there, or -1. */
  readonly rankOfRow: Int32Array;
}

/**
 * @param tableTargets where its jump tables lead
 * @param neverReturning starts of functions that do not come back
 */
export function flowGraph(
  target: FunctionCode,
  scanner: FunctionScanner,
  tableTargets: ReadonlySet<number>,
  neverReturning: ReadonlySet<number>,
): FlowGraph {
  const { rows } = scanner;
  const addresses: number[] = [];
  /** By row: whether a block begins there. */
  const isHead = new Uint8Array(rows.count);
  const begin = (at: number): void => {
    const row = scanner.rowOf(at);
    if (row >= 0) isHead[row] = 1;
  };
  for (const at of [target.start, ...target.entries, ...target.labels, ...tableTargets]) begin(at);
  // Overlapping decodes exist (a prefix jumped over); every reached row must be seen.
  for (let at = target.start; at < target.end; at++) {
    const row = scanner.rowOf(at);
    if (row < 0) continue;
    addresses.push(at);
    const kind = flowOf[rows.code(row)] ?? 0;
    const isBranch = kind === flow.jump || kind === flow.branch || kind === flow.transaction;
    if (isBranch) begin(rows.displacement(row));
    if (isBranch || kind === flow.return || kind === flow.indirectJump || kind === flow.exception) {
      begin(at + rows.length(row));
    }
  }

  /**
   * Heads of the blocks that may follow the one that begins at `head`. The target of a branch comes last, so that it is
   * followed first and ranks behind the rest: it is more often a loop's exit than its body.
   */
  const successors = (head: number): number[] => {
    for (let at = head; ; ) {
      const row = scanner.rowOf(at);
      if (row < 0) return [];
      const kind = flowOf[rows.code(row)] ?? 0;
      const next = at + rows.length(row);
      if (kind === flow.jump) return [rows.displacement(row)];
      if (kind === flow.indirectJump) return [...tableTargets];
      if (kind === flow.return || kind === flow.exception) return [];
      if (kind === flow.call && neverReturning.has(rows.displacement(row))) return [];
      if (kind === flow.branch || kind === flow.transaction) return [next, rows.displacement(row)];
      if (isHead[scanner.rowOf(next)] === 1) return [next];
      at = next;
    }
  };

  const seen = new Uint8Array(rows.count);
  /** Whether a block begins there that was not followed before. From now on it was. */
  const isNew = (head: number): boolean => {
    const row = scanner.rowOf(head);
    if (row < 0 || isHead[row] === 0 || seen[row] === 1) return false;
    seen[row] = 1;
    return true;
  };
  const postorder: number[] = [];
  for (const root of [target.start, ...target.entries, ...target.labels, ...addresses]) {
    if (!isNew(root)) continue;
    const path = [{ head: root, ways: successors(root) }];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const next = last.ways.pop();
      if (next === undefined) {
        postorder.push(last.head);
        path.pop();
      } else if (isNew(next)) path.push({ head: next, ways: successors(next) });
    }
  }
  const heads = postorder.reverse();
  const rankOfRow = new Int32Array(rows.count).fill(-1);
  heads.forEach((head, rank) => {
    rankOfRow[scanner.rowOf(head)] = rank;
  });
  return { addresses, heads, rankOfRow };
}
