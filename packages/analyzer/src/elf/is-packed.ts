import type { Elf } from './elf.js';

/** `UPX!`, little-endian: the magic number of UPX's loader header (src/stub/src/include/linux.h: l_info). */
const UPX = 0x21585055;

/** Whether the file was packed by UPX: what it holds as code only unpacks the program. */
export function isPacked(elf: Elf): boolean {
  const { view } = elf;
  // l_info follows the program headers: a checksum, then the magic number.
  const after = view.u64(32) + elf.segments.length * 56;
  for (let at = after; at < after + 512 && at + 8 <= view.length; at += 4) {
    if (view.u32(at) === UPX) return true;
  }
  return false;
}
