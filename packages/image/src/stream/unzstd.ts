import { setImmediate as nextTurn } from 'node:timers/promises';
import { ProfGenError } from '@prof-gen/core';
import { Decompress } from 'fzstd';
import { overLimit } from '../limits/image-limits.js';
import type { ByteInput } from './byte-input.js';

function corrupt(why: string): ProfGenError {
  return new ProfGenError('archive/corrupt', `zstd: ${why}`, {
    hint: 'the layer is damaged or cut off: pull or save the image again',
  });
}

async function exactly(input: ByteInput, length: number): Promise<Uint8Array> {
  const bytes = await input.read(length);
  if (bytes.length < length) throw corrupt('the stream ends early');
  return bytes;
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** No block is larger, compressed or not (RFC 8878, 3.1.1.2.4). */
const maxBlock = 128 * 1024;

/**
 * Decodes zstd frames (RFC 8878). Frames and blocks are cut here and handed to the decoder one by one,
 * because the decoder takes memory for whatever window a frame asks for: a header of a few bytes
 * could ask for 2 GiB.
 */
export async function* unzstd(input: ByteInput, windowLimit: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const magic = await input.read(4);
    if (magic.length === 0) return;
    if (magic.length < 4) throw corrupt('the stream ends early');
    const number = littleEndian(magic);
    if (number >= 0x184d2a50 && number <= 0x184d2a5f) {
      const length = littleEndian(await exactly(input, 4));
      if ((await input.skip(length)) < length) throw corrupt('the stream ends early');
    } else if (number === 0xfd2fb528) {
      yield* frame(input, magic, windowLimit);
    } else {
      throw corrupt('what follows is not a frame');
    }
  }
}

async function* frame(input: ByteInput, magic: Uint8Array, windowLimit: number): AsyncGenerator<Uint8Array> {
  const descriptor = await exactly(input, 1);
  const flags = descriptor[0] ?? 0;
  const singleSegment = (flags & 0x20) !== 0;
  const checksumBytes = (flags & 4) !== 0 ? 4 : 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeBytes = flags >> 6 === 0 ? (singleSegment ? 1 : 0) : 1 << (flags >> 6);
  const rest = await exactly(input, (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  if (littleEndian(rest.subarray(rest.length - sizeBytes - dictionaryBytes, rest.length - sizeBytes)) !== 0) {
    throw corrupt('it needs a dictionary');
  }
  const contentSize = littleEndian(rest.subarray(rest.length - sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
  const exponent = rest[0] ?? 0;
  const base = 2 ** (10 + (exponent >> 3));
  const window = singleSegment ? contentSize : base + (base / 8) * (exponent & 7);
  if (window > windowLimit)
    throw overLimit('zstdWindowBytes', windowLimit, 'the window of a zstd frame, in bytes');

  let blocks = 0;
  let produced: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => {
    produced.push(chunk);
  });
  // The decoder copies what it gives out. A new buffer for every block would pile up faster than it is collected.
  const scratch = Buffer.alloc(maxBlock + 64);
  let before = Buffer.concat([magic, descriptor, rest]);
  for (;;) {
    const header = await exactly(input, 3);
    const value = littleEndian(header);
    const last = (value & 1) === 1;
    const type = (value >> 1) & 3;
    const size = value >> 3;
    if (type === 3 || size > maxBlock) throw corrupt('a block header is wrong');
    const body = await exactly(input, (type === 1 ? 1 : size) + (last ? checksumBytes : 0));
    try {
      decoder.push(joined(scratch, [before, header, body]), last);
    } catch (thrown) {
      throw corrupt(thrown instanceof Error ? thrown.message : String(thrown));
    }
    before = Buffer.alloc(0);
    for (const chunk of produced) if (chunk.length > 0) yield chunk;
    produced = [];
    if (last) return;
    // Only between turns of the event loop are buffers of old blocks given back.
    if (++blocks % 64 === 0) await nextTurn();
  }
}

/** Into `scratch`, but for the first few bytes of a frame: these the decoder holds on to. */
function joined(scratch: Buffer, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length < 64) return Buffer.concat(parts);
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return scratch.subarray(0, length);
}
