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
  for (let changed = true; changed; ) {
    changed = false;
    for (const index of candidates) {
      const f = functions[index];
      if (!f) continue;
      for (let i = 0; i < f.references.length; i += 3) {
        const kind = f.references[i];
        const leaves = kind === reference.jump || kind === reference.fall;
        if (
          kind === reference.jumpMemory ||
          (leaves && !candidates.has(table.indexAt(f.references[i + 2] ?? 0)))
        ) {
          candidates.delete(index);
          changed = true;
          break;
        }
      }
    }
  }
  const starts = new Set<number>();
  for (const index of candidates) starts.add(functions[index]?.start ?? 0);
  return starts;
}
