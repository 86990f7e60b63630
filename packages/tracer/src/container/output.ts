import type { Readable } from 'node:stream';
import { greeting, greetingBytes } from '../gate/gate-program.js';

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
  /** Behind a gate: the process number that the gate has said first, undefined when something else came. */
  readonly greeted: Promise<number | undefined>;
  #greet: ((pid: number | undefined) => void) | undefined;
  #start: Buffer = Buffer.alloc(0);

  /** @param gated what the gate says is taken away from the beginning */
  constructor(stream: Readable, gated = false) {
    this.greeted = new Promise((resolve) => {
      if (gated) this.#greet = resolve;
      else resolve(undefined);
    });
    this.ended = new Promise((resolve) => {
      stream.on('data', (bytes: Buffer) => this.#take(bytes));
      stream
        .on('end', resolve)
        .on('close', resolve)
        .on('error', () => resolve());
    });
    void this.ended.then(() => {
      if (this.#greet === undefined) return;
      this.#text += this.#start.toString('utf8');
      this.#greet(undefined);
    });
  }

  #take(bytes: Buffer): void {
    this.#changed = performance.now();
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32BE(4);
      if (this.#rest.length < 8 + length) break;
      this.#text += this.#withoutGreeting(this.#rest.subarray(8, 8 + length)).toString('utf8');
      this.#rest = this.#rest.subarray(8 + length);
    }
    if (this.#text.length > kept) {
      this.#dropped += this.#text.length - kept;
      this.#text = this.#text.slice(-kept);
    }
  }

  #withoutGreeting(bytes: Buffer): Buffer {
    if (this.#greet === undefined) return bytes;
    this.#start = Buffer.concat([this.#start, bytes]);
    if (this.#start.length < greetingBytes) return Buffer.alloc(0);
    const isGate = this.#start.subarray(0, greeting.length).equals(greeting);
    this.#greet(isGate ? Number(this.#start.readBigUInt64LE(greeting.length)) : undefined);
    this.#greet = undefined;
    return isGate ? this.#start.subarray(greetingBytes) : this.#start;
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
