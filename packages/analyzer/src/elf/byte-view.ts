import { ProfGenError } from '@prof-gen/core/base';

/**
 * Bounds-checked little-endian reads from a file. Every read past the end is `elf/truncated` with the
 * offset, so that no forged header can make a parser read nonsense or loop on `undefined`.
 */
export class ByteView {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Names may overlap in a string table; a forged table makes every name the same giant one. */
  #stringBudget: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#stringBudget = 16 * bytes.length + 65_536;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** @throws ProfGenError `elf/truncated` */
  need(offset: number, size: number, what: string): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.bytes.length)) {
      throw new ProfGenError('elf/truncated', `${what} reaches past the end of the file`, {
        hint: 'The file is damaged or incomplete; fetch the image again or leave the program out.',
        details: { offset, size, fileSize: this.bytes.length },
      });
    }
  }

  u8(offset: number): number {
    this.need(offset, 1, 'A byte');
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.need(offset, 2, 'A 16-bit field');
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.need(offset, 4, 'A 32-bit field');
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    this.need(offset, 4, 'A 32-bit field');
    return this.#view.getInt32(offset, true);
  }

  /** Unsigned 64 bits as a number; exact up to 2^53, which is above every valid address or file offset. */
  u64(offset: number): number {
    this.need(offset, 8, 'A 64-bit field');
    return this.#view.getUint32(offset, true) + this.#view.getUint32(offset + 4, true) * 0x1_0000_0000;
  }

  /** Signed 64 bits as a number; exact within ±2^53. */
  i64(offset: number): number {
    this.need(offset, 8, 'A 64-bit field');
    return this.#view.getUint32(offset, true) + this.#view.getInt32(offset + 4, true) * 0x1_0000_0000;
  }

  /**
   * The NUL-terminated string at `offset`, at most `limit` bytes, as Latin-1 so that no byte is lost.
   * @throws ProfGenError `elf/bad-string`, `elf/too-complex`
   */
  string(offset: number, limit = 4096): string {
    this.need(offset, 1, 'A string');
    const end = this.bytes.indexOf(0, offset);
    const stop = end < 0 ? this.bytes.length : end;
    if (end < 0 || stop - offset > limit) {
      throw new ProfGenError('elf/bad-string', 'A string is not terminated or too long', {
        details: { offset, limit },
      });
    }
    this.#stringBudget -= stop - offset;
    if (this.#stringBudget < 0) {
      throw new ProfGenError('elf/too-complex', 'The names are together far longer than the file', {
        details: { offset },
      });
    }
    let text = '';
    for (let i = offset; i < stop; i++) text += String.fromCharCode(this.bytes[i] ?? 0);
    return text;
  }
}
