import type { Readable } from 'node:stream';

/** Most characters kept of what a container says; the oldest go first. */
const kept = 4 * 1024 * 1024;

/**
 * Output of a container or of an exec, standard output and error together. The engine frames it: stream number, three
 * zero bytes, length as 32 bits big-endian (Docker Engine API, "Attach to a container").
 */
export class Output {
  #rest: Buffer = Buffer.alloc(0);
  #text = '';
  #dropped = 0;
  #changed = performance.now();
  readonly ended: Promise<void>;

  constructor(stream: Readable) {
    this.ended = new Promise((resolve) => {
      stream.on('data', (bytes: Buffer) => this.#take(bytes));
      stream
        .on('end', resolve)
        .on('close', resolve)
        .on('error', () => resolve());
    });
  }

  #take(bytes: Buffer): void {
    this.#changed = performance.now();
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32BE(4);
      if (this.#rest.length < 8 + length) break;
      this.#text += this.#rest.toString('utf8', 8, 8 + length);
      this.#rest = this.#rest.subarray(8 + length);
    }
    if (this.#text.length > kept) {
      this.#dropped += this.#text.length - kept;
      this.#text = this.#text.slice(-kept);
    }
  }

  /** Everything, or what came after a `position` taken earlier. */
  text(since = 0): string {
    return this.#text.slice(Math.max(0, since - this.#dropped));
  }

  get position(): number {
    return this.#dropped + this.#text.length;
  }

  /** Milliseconds since the last byte. */
  get silence(): number {
    return performance.now() - this.#changed;
  }
}
