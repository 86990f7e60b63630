import type { FunctionTable } from './discover-functions.js';
import { reference } from './scan-function.js';

/**
 * Functions that never come back, such as `abort`: nowhere a return, a jump to somewhere unknown or a way over
 * the end, and every jump out leads to another such function. What follows a call of one is not its
 * continuation, though it lies there.
 */
export function neverReturning(table: FunctionTable): ReadonlySet<number> {
  const { functions } = table;
  const candidates = new Set<number>();
  functions.forEach((f, index) => {
    if (!f.returns && !f.indirectJump && f.instructions > 0) candidates.add(index);
  });
  /** Function → candidates that jump or run on into it. */
  const leadHere = new Map<number, number[]>();
  const queue: number[] = [];
  for (const index of candidates) {
    const references = functions[index]?.references ?? [];
    for (let i = 0; i < references.length; i += 3) {
      const kind = references[i];
      if (kind === reference.jumpMemory) queue.push(index);
      if (kind !== reference.jump && kind !== reference.fall) continue;
      const target = table.indexAt(references[i + 2] ?? 0);
      if (!candidates.has(target)) {
        queue.push(index);
        continue;
      }
      const others = leadHere.get(target);
      if (others) others.push(index);
      else leadHere.set(target, [index]);
    }
  }
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    if (candidates.delete(index)) queue.push(...(leadHere.get(index) ?? []));
  }
  const starts = new Set<number>();
  for (const index of candidates) starts.add(functions[index]?.start ?? 0);
  return starts;
}
