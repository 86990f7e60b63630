import { encodeFileName } from './file-name.js';
import { blockSize } from './tar-header.js';

export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo';
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes of content that follow; 0 unless a file. */
  readonly size: number;
  readonly linkName?: string;
}

const flags = {
  file: '0',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
} as const;

/** The headers of one member in GNU format: names of any length and bytes, sizes beyond 8 GiB, no time. */
export function tarHeader(entry: TarEntry): Uint8Array {
  const name = encodeFileName(entry.name);
  const link = encodeFileName(entry.linkName ?? '');
  return Buffer.concat([
    ...(link.length > 100 ? longName('K', link) : []),
    ...(name.length > 100 ? longName('L', name) : []),
    block(flags[entry.type], name, link, entry),
  ]);
}

export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockSize - (size % blockSize)) % blockSize);
}

/** Two blocks of zeros. */
export const tarEnd = new Uint8Array(2 * blockSize);

function longName(flag: string, name: Uint8Array): Uint8Array[] {
  const size = name.length + 1;
  const header = block(flag, Buffer.from('././@LongLink'), Buffer.alloc(0), { mode: 0, size });
  return [header, name, new Uint8Array(1), tarPadding(size)];
}

function block(
  flag: string,
  name: Uint8Array,
  link: Uint8Array,
  { mode, uid = 0, gid = 0, size }: Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'size'>,
): Buffer {
  const header = Buffer.alloc(blockSize);
  header.set(name.subarray(0, 100), 0);
  number(header, mode, 100, 8);
  number(header, uid, 108, 8);
  number(header, gid, 116, 8);
  number(header, size, 124, 12);
  number(header, 0, 136, 12);
  header.fill(0x20, 148, 156);
  header.write(flag, 156, 'latin1');
  header.set(link.subarray(0, 100), 157);
  header.write('ustar  \0', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Octal, or base 256 where that is too short (GNU tar, "numeric fields"). */
function number(header: Buffer, value: number, at: number, length: number): void {
  const digits = value.toString(8);
  if (digits.length < length) {
    header.write(`${digits.padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = value;
  for (let i = length - 1; i > 0; i -= 1) {
    header[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  header[at] = 0x80;
}
