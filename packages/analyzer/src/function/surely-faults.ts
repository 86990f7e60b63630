import type { CodeDecoder } from '../decode/decoder.js';
import { faultsOf, flow, flowOf, Instructions } from '../decode/instructions.js';

/** Instructions looked at: data rarely decodes that far. */
const LIMIT = 32;
/** Bytes decoded at once. */
const CHUNK = 48;

const rows = new Instructions();

/**
 * Whether control that comes to the address is bound to fault before anything can turn it aside. Data in
 * executable memory, to which pointers lead as well, mostly decodes so; no function that is ever called does.
 */
export function surelyFaults(decoder: CodeDecoder, address: number): boolean {
  let at = address;
  let steps = 0;
  while (steps < LIMIT) {
    rows.clear();
    decoder.decode(at, at + CHUNK, rows);
    if (rows.count === 0) return false;
    for (let row = 0; row < rows.count; row++) {
      steps++;
      const code = rows.code(row);
      const length = rows.length(row);
      // At the end of the bytes an instruction may be cut off: who knows how it goes on.
      if (faultsOf[code] === 1) return length > 0 && at + length < decoder.end;
      at += length;
      if (flowOf[code] === flow.next) continue;
      if (flowOf[code] !== flow.jump) return false;
      at = rows.displacement(row);
      break;
    }
  }
  return false;
}
