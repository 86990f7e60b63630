import { badHeader } from './tar-error.js';

/** One 512-byte block, numbers and names as they stand. POSIX pax(1) "ustar", GNU tar's tar.h, star(5). */
export interface RawTarHeader {
  /** The type flag's character; NUL is `\0`. */
  readonly flag: string;
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly gnu: boolean;
}

export const blockSize = 512;

export function upToNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/**
 * A number field: octal digits among spaces and NULs, or base 256 when the first bit is set.
 * @returns undefined when it is neither, or beyond 2^53
 */
export function tarNumber(field: Uint8Array): number | undefined {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const negative = (first & 0x40) !== 0;
    let value = 0;
    for (const [i, byte] of field.entries()) {
      const bits = negative ? byte ^ 0xff : byte;
      value = value * 256 + (i === 0 ? bits & 0x7f : bits);
    }
    return value > Number.MAX_SAFE_INTEGER ? undefined : negative ? -1 - value : value;
  }
  const text = Buffer.from(field)
    .toString('latin1')
    .replace(/^[ \0]+|[ \0]+$/g, '');
  // Some writers leave rubbish after the terminating NUL.
  const digits = text.split('\0', 1)[0] ?? '';
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function join(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** @throws ProfGenError `archive/bad-header` */
export function parseTarHeader(block: Uint8Array, offset: number): RawTarHeader {
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let i = 0; i < blockSize; i += 1) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const sum = tarNumber(block.subarray(148, 156));
  // Old writers summed signed characters; both are read everywhere.
  if (sum !== unsigned && sum !== signed) throw badHeader('the checksum is wrong', offset);

  const number = (from: number, to: number, what: string): number => {
    const value = tarNumber(block.subarray(from, to));
    if (value === undefined) throw badHeader(`${what} is not a number`, offset);
    return value;
  };
  const magic = Buffer.from(block.subarray(257, 265)).toString('latin1');
  const ustar = magic.startsWith('ustar\0');
  const gnu = magic === 'ustar  \0';
  const star = ustar && Buffer.from(block.subarray(508, 512)).toString('latin1') === 'tar\0';
  const prefix = ustar ? upToNul(block.subarray(345, star ? 476 : 500)) : new Uint8Array(0);
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    name: join(prefix, upToNul(block.subarray(0, 100))),
    linkName: upToNul(block.subarray(157, 257)),
    mode: number(100, 108, 'the mode'),
    uid: number(108, 116, 'the owner'),
    gid: number(116, 124, 'the group'),
    size: number(124, 136, 'the size'),
    devMajor: ustar || gnu ? number(329, 337, 'the device') : 0,
    devMinor: ustar || gnu ? number(337, 345, 'the device') : 0,
    gnu,
  };
}

/** Whether a tar archive begins with this block. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < blockSize) return false;
  if (isZeroBlock(block)) return true;
  try {
    parseTarHeader(block, 0);
    return true;
  } catch {
    return false;
  }
}
