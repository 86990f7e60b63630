import type { FileHandle } from 'node:fs/promises';

/** Bytes read forward. A short answer means that the end was reached. */
export interface ByteInput {
  /** Bytes given out or skipped so far. */
  readonly position: number;
  /** Exactly `length` bytes, fewer at the end. */
  read(length: number): Promise<Uint8Array>;
  /** The next `length` bytes without taking them, fewer at the end. */
  peek(length: number): Promise<Uint8Array>;
  /** Between one and `limit` bytes, whatever is at hand; none at the end. */
  some(limit: number): Promise<Uint8Array>;
  /** @returns bytes skipped, fewer than `length` at the end */
  skip(length: number): Promise<number>;
}

const nothing = new Uint8Array(0);

/** Reads a stream; what is skipped is still pulled through it. */
export class StreamInput implements ByteInput {
  position = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = nothing;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async some(limit: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0 && !this.#ended) {
      const next = await this.#source.next();
      if (next.done === true) this.#ended = true;
      else this.#chunk = next.value;
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    this.position += part.length;
    return part;
  }

  async read(length: number): Promise<Uint8Array> {
    const first = await this.some(length);
    if (first.length === length) return first;
    const parts = [first];
    let got = first.length;
    while (got < length) {
      const part = await this.some(length - got);
      if (part.length === 0) break;
      parts.push(part);
      got += part.length;
    }
    return Buffer.concat(parts, got);
  }

  async peek(length: number): Promise<Uint8Array> {
    const bytes = await this.read(length);
    this.#chunk = this.#chunk.length === 0 ? bytes : Buffer.concat([bytes, this.#chunk]);
    this.position -= bytes.length;
    return bytes;
  }

  async skip(length: number): Promise<number> {
    let skipped = 0;
    while (skipped < length) {
      const part = await this.some(length - skipped);
      if (part.length === 0) break;
      skipped += part.length;
    }
    return skipped;
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#chunk = nothing;
    await this.#source.return?.();
  }
}

const fileChunk = 64 * 1024;

/** Reads an open file; what is skipped is not read. The handle stays the caller's. */
export class FileInput implements ByteInput {
  position = 0;
  readonly #file: FileHandle;
  readonly #size: number;
  #chunk: Uint8Array = nothing;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async some(limit: number): Promise<Uint8Array> {
    if (this.#chunk.length === 0 && this.position < this.#size) {
      const { bytesRead, buffer } = await this.#file.read(
        Buffer.allocUnsafe(fileChunk),
        0,
        fileChunk,
        this.position,
      );
      this.#chunk = buffer.subarray(0, bytesRead);
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    this.position += part.length;
    return part;
  }

  async read(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < length) {
      const part = await this.some(length - got);
      if (part.length === 0) break;
      parts.push(part);
      got += part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, got);
  }

  async peek(length: number): Promise<Uint8Array> {
    const bytes = await this.read(length);
    this.position -= bytes.length;
    this.#chunk = nothing;
    return bytes;
  }

  skip(length: number): Promise<number> {
    const skipped = Math.min(length, this.#size - this.position);
    this.#chunk = this.#chunk.subarray(Math.min(skipped, this.#chunk.length));
    this.position += skipped;
    return Promise.resolve(skipped);
  }
}
