import { ProfGenError } from '@prof-gen/core/base';
import { type Elf, fileOffset } from '../elf/elf.js';

/** What of a system image of Julia no reference shows. */
export interface JuliaImage {
  /**
   * What may be names of C functions: `ccall` of methods that are compiled when they are called names them in the
   * serialized data, and Julia asks the loader for them (src/runtime_ccall.cpp, `jl_load_and_lookup`). Sorted.
   */
  readonly names: readonly string[];
}

const DATA = 'jl_system_image_data';
/** No name of C is longer in what Julia calls. */
const MAX_NAME = 128;
const MIN_NAME = 3;
/** Names of one image; Julia 1.5 has 33 thousand. */
const MAX_NAMES = 500_000;

const NAME = 1;
const DIGIT = 2;
const classOf = new Uint8Array(256);
for (let c = 0x30; c <= 0x39; c++) classOf[c] = NAME | DIGIT;
for (let c = 0x41; c <= 0x5a; c++) classOf[c] = classOf[c + 0x20] = NAME;
classOf[0x5f] = NAME;

/**
 * Recognizes a system image (or a package image) by the data that Julia's runtime loads it by. Its functions are found by
 * offsets of four bytes (`jl_sysimg_fvars_offsets`, src/aotcompile.cpp; clones for other processors beside them), which
 * look like no pointers: whoever loads such a file may call each of them.
 * @returns undefined for all other files
 * @throws ProfGenError `elf/too-complex` when it has more names than any real one
 */
export function juliaImage(elf: Elf): JuliaImage | undefined {
  const data = elf.symbols.find(({ defined, name }) => defined && name === DATA);
  if (data === undefined) return undefined;
  const { bytes } = elf.view;
  const start = fileOffset(elf, data.address, data.size);
  // Where the symbol does not say how much there is, it may be anywhere.
  const serialized = start < 0 || data.size === 0 ? bytes : bytes.subarray(start, start + data.size);
  const names = new Set<string>();
  for (const name of namesIn(serialized)) {
    names.add(name);
    if (names.size > MAX_NAMES) {
      throw new ProfGenError('elf/too-complex', 'The names in the system image of Julia never end');
    }
  }
  return { names: [...names].sort() };
}

/**
 * Names end with a zero byte in the table of symbols (src/staticdata.c), and have their length in the byte before in
 * the code of methods (src/dump.c, TAG_SYMBOL), where anything may follow.
 */
function* namesIn(bytes: Uint8Array): Iterable<string> {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  const isName = (from: number, to: number) =>
    to - from >= MIN_NAME && to - from <= MAX_NAME && ((classOf[bytes[from] ?? 0] ?? 0) & DIGIT) === 0;
  for (let at = 0; at < bytes.length; at++) {
    if (classOf[bytes[at] ?? 0] === 0) continue;
    const from = at;
    while (at < bytes.length && classOf[bytes[at] ?? 0] !== 0) at++;
    if (bytes[at] === 0 && isName(from, at)) yield text(from, at);
    const counted = from + (bytes[from - 1] ?? 0);
    if (counted < at && isName(from, counted)) yield text(from, counted);
    // A length of 48 and more is a character of names itself.
    const long = from + 1 + (bytes[from] ?? 0);
    if (long <= at && isName(from + 1, long)) yield text(from + 1, long);
  }
}
