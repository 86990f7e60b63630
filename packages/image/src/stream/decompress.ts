import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ProfGenError } from '@prof-gen/core';
import type { ImageLimits } from '../limits/image-limits.js';
import { StreamInput } from './byte-input.js';
import { unzstd } from './unzstd.js';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Told by the first bytes, as container engines do: media types are often wrong. */
export function compressionOf(head: Uint8Array): Compression {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  // RFC 8878: a frame, or a skippable frame before it.
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  const other =
    a === 0x42 && b === 0x5a && c === 0x68 ? 'bzip2' : a === 0xfd && b === 0x37 && c === 0x7a ? 'xz' : '';
  if (other !== '') {
    throw new ProfGenError('archive/unsupported-compression', `compressed with ${other}`, {
      hint: 'gzip, zstd and no compression are understood: compress the image again with one of these',
    });
  }
  return 'none';
}

/**
 * The uncompressed bytes of `source`, whatever it is compressed with.
 * @throws ProfGenError `archive/corrupt`, `archive/unsupported-compression`, `archive/too-large`
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  limits: Pick<ImageLimits, 'zstdWindowBytes'>,
): AsyncGenerator<Uint8Array> {
  const input = new StreamInput(source);
  try {
    const head = await input.read(4);
    const compression = compressionOf(head);
    const whole = chunks(input, head);
    if (compression === 'gzip') yield* gunzip(whole);
    else if (compression === 'zstd') yield* unzstd(new StreamInput(whole), limits.zstdWindowBytes);
    else yield* whole;
  } finally {
    await input.close();
  }
}

async function* chunks(input: StreamInput, head: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const chunk = await input.some(Number.MAX_SAFE_INTEGER);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip({ chunkSize: 128 * 1024 });
  // An error reaches the reader of `unzip`; the promise is only kept from being unhandled.
  const fed = pipeline(Readable.from(source, { objectMode: true, highWaterMark: 4 }), unzip).catch(() => {});
  try {
    yield* unzip;
  } catch (thrown) {
    if (thrown instanceof ProfGenError) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')) {
      throw new ProfGenError('archive/corrupt', `gzip: ${thrown.message}`, {
        hint: 'the layer is damaged or cut off: pull or save the image again',
      });
    }
    throw thrown;
  } finally {
    unzip.destroy();
    await fed;
  }
}
