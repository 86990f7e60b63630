import { type Elf, fileOffset } from '../elf/elf.js';
import { type FunctionCode, reference } from './scan-function.js';

/** Longest jump table that is read. Interpreters have some hundreds of cases. */
const MAX_ENTRIES = 16_384;

/**
 * Where the function's jump tables may lead: each table address it mentions is read as distances from the table
 * (4 bytes, what position-independent code uses) and as addresses (8 bytes), as long as they stay inside the
 * function. Too many targets are harmless; they only join more states.
 */
export function tableTargets(elf: Elf, target: FunctionCode): Set<number> {
  const targets = new Set<number>();
  if (!target.indirectJump) return targets;
  const { view } = elf;
  const inside = (address: number): boolean => address >= target.start && address < target.end;
  for (let i = 0; i < target.references.length; i += 3) {
    if (target.references[i] !== reference.address) continue;
    const table = target.references[i + 2] ?? 0;
    const at = fileOffset(elf, table, 4);
    if (at < 0) continue;
    for (let entry = 0; entry < MAX_ENTRIES && at + entry * 4 + 4 <= view.length; entry++) {
      const to = table + view.i32(at + entry * 4);
      if (!inside(to)) break;
      targets.add(to);
    }
    for (let entry = 0; entry < MAX_ENTRIES && at + entry * 8 + 8 <= view.length; entry++) {
      const to = view.u64(at + entry * 8);
      if (!inside(to)) break;
      targets.add(to);
    }
  }
  return targets;
}
