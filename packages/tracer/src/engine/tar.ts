/** A regular file to be put into a container. */
export interface TarFile {
  /** Relative to the directory that the archive is unpacked in. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

const block = 512;

/** An octal field with its NUL. */
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

/**
 * A ustar archive (POSIX.1-1988, tar(5)) of a few files owned by root, dated to the epoch. Names longer than 100 bytes
 * are split into prefix and name at a slash.
 * @throws RangeError for a name that ustar cannot hold
 */
export function tarOf(files: readonly TarFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, content, mode } of files) {
    const header = Buffer.alloc(block);
    let name = path;
    let prefix = '';
    if (Buffer.byteLength(name) > 100) {
      const slash = path.indexOf('/', Math.max(0, path.length - 101));
      prefix = path.slice(0, slash);
      name = path.slice(slash + 1);
    }
    if (Buffer.byteLength(name) > 100 || Buffer.byteLength(prefix) > 155) {
      throw new RangeError(`too long for an archive: ${path}`);
    }
    header.write(name, 0);
    header.write(octal(mode, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(content.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write(' '.repeat(8), 148);
    header.write('0', 156);
    header.write('ustar\0' + '00', 257);
    header.write(prefix, 345);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(header, Buffer.from(content), Buffer.alloc((block - (content.length % block)) % block));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}
