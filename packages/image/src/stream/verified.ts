import { createHash } from 'node:crypto';
import { type Digest, ProfGenError } from '@prof-gen/core';

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function digestMismatch(expected: Digest, found: Digest): ProfGenError {
  return new ProfGenError('image/digest-mismatch', `a blob should be ${expected} but is ${found}`, {
    hint: 'the image is damaged or was tampered with: pull or save it again',
    details: { expected, found },
  });
}

/** @throws ProfGenError `image/digest-mismatch` */
export function verifiedBytes(bytes: Uint8Array, expected: Digest): Uint8Array {
  const found = sha256(bytes);
  if (found !== expected) throw digestMismatch(expected, found);
  return bytes;
}

/** Passes `source` on and fails at its end unless it was what the descriptor says. @throws ProfGenError `image/digest-mismatch` */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  descriptor: { readonly digest: Digest; readonly size: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > descriptor.size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (size !== descriptor.size) {
    throw new ProfGenError(
      'image/digest-mismatch',
      `a blob has not the ${descriptor.size} bytes its descriptor says`,
      {
        hint: 'the image is damaged or was tampered with: pull or save it again',
        details: { digest: descriptor.digest, expected: descriptor.size },
      },
    );
  }
  const found: Digest = `sha256:${hash.digest('hex')}`;
  if (found !== descriptor.digest) throw digestMismatch(descriptor.digest, found);
}
