const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A file name's bytes as text, and back without loss. Linux names are bytes; those that are not UTF-8
 * stand as U+DC80…U+DCFF, which no valid UTF-8 can produce (Python's PEP 383, "surrogateescape").
 */
export function decodeFileName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Some byte is not UTF-8: go on by sequences.
  }
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    try {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      at += 1;
    }
  }
  return text;
}

export function encodeFileName(name: string): Buffer {
  const escaped = /[\udc80-\udcff]/;
  if (!escaped.test(name)) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  // By code points, so that the second half of a real surrogate pair is not taken for an escape.
  for (const point of name) {
    const value = point.codePointAt(0) ?? 0;
    parts.push(
      value >= 0xdc80 && value <= 0xdcff ? Buffer.from([value - 0xdc00]) : Buffer.from(point, 'utf8'),
    );
  }
  return Buffer.concat(parts);
}
