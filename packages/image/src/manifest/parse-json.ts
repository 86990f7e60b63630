import { ProfGenError, validated } from '@prof-gen/core';

/**
 * JSON of an image, checked by a schema from core.
 * @throws ProfGenError `image/bad-manifest`
 */
export function parseJson<S extends Parameters<typeof validated>[0]>(
  schema: S,
  bytes: Uint8Array,
  what: string,
): ReturnType<typeof validated<S>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message would quote the content.
    throw new ProfGenError('image/bad-manifest', `${what} is not JSON`, {
      hint: 'the image is damaged, or the reference names something that is not an image',
    });
  }
  return validated(schema, value, what, 'image/bad-manifest');
}
