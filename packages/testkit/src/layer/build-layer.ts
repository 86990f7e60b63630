/** One member of a tar, as written: nothing is checked, so that hostile archives can be made. */
export interface LayerEntry {
  /** Bytes where the name is not UTF-8. */
  readonly name: string | Uint8Array;
  /** The type flag; default `0`, a regular file. */
  readonly flag?: string;
  readonly content?: string | Uint8Array;
  /** Default 0o644, for directories 0o755. */
  readonly mode?: number;
  readonly link?: string | Uint8Array;
  /** What the header says, where that is not the length of the content. */
  readonly size?: number;
  readonly device?: readonly [major: number, minor: number];
  /** Records of a PAX header before it. */
  readonly pax?: readonly (readonly [key: string, value: string | Uint8Array])[];
  /** Fragments and real size of an old GNU sparse file; the content is the stored bytes. */
  readonly sparse?: {
    readonly runs: readonly (readonly [offset: number, length: number])[];
    readonly size: number;
  };
}

const block = 512;

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text;
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array((block - (bytes.length % block)) % block)]);
}

function octal(header: Buffer, value: number, at: number, length: number): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

/** A 512-byte header in GNU format, with a correct checksum. */
function headerOf(entry: LayerEntry, flag: string, size: number): Buffer {
  const header = Buffer.alloc(block);
  header.set(bytesOf(entry.name).subarray(0, 100), 0);
  octal(header, entry.mode ?? (flag === '5' ? 0o755 : 0o644), 100, 8);
  octal(header, 0, 108, 8);
  octal(header, 0, 116, 8);
  octal(header, size, 124, 12);
  octal(header, 0, 136, 12);
  header.write(flag, 156, 'latin1');
  header.set(bytesOf(entry.link ?? '').subarray(0, 100), 157);
  header.write('ustar  \0', 257, 'latin1');
  if (entry.device !== undefined) {
    octal(header, entry.device[0], 329, 8);
    octal(header, entry.device[1], 337, 8);
  }
  for (const [i, [offset, length]] of (entry.sparse?.runs ?? []).slice(0, 4).entries()) {
    octal(header, offset, 386 + i * 24, 12);
    octal(header, length, 398 + i * 24, 12);
  }
  if (entry.sparse !== undefined) octal(header, entry.sparse.size, 483, 12);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function paxRecord(key: string, value: string | Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytesOf(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function longName(flag: 'L' | 'K', name: Uint8Array): Uint8Array {
  const content = Buffer.concat([name, Buffer.from([0])]);
  return Buffer.concat([headerOf({ name: '././@LongLink' }, flag, content.length), padded(content)]);
}

function member(entry: LayerEntry): Uint8Array {
  const flag = entry.flag ?? (entry.sparse === undefined ? '0' : 'S');
  const content = bytesOf(entry.content ?? '');
  const name = bytesOf(entry.name);
  const link = bytesOf(entry.link ?? '');
  const records = Buffer.concat((entry.pax ?? []).map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([
    ...(records.length > 0 ? [headerOf({ name: 'pax' }, 'x', records.length), padded(records)] : []),
    ...(link.length > 100 ? [longName('K', link)] : []),
    ...(name.length > 100 ? [longName('L', name)] : []),
    headerOf(entry, flag, entry.size ?? content.length),
    padded(content),
  ]);
}

/** An uncompressed layer with these members in this order. */
export function buildLayer(entries: readonly LayerEntry[]): Uint8Array {
  return Buffer.concat([...entries.map(member), new Uint8Array(2 * block)]);
}
