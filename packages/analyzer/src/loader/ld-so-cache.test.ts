import { describe, expect, it } from 'vitest';
import { parseLdSoCache } from './ld-so-cache.js';

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly flags?: number;
  readonly hwcap?: bigint;
}

/** A cache as ldconfig writes it; `old` puts the old format in front, as it did before glibc 2.32. */
function cache(entries: readonly Entry[], old = false): Uint8Array {
  const start = old ? Math.ceil((16 + entries.length * 12) / 8) * 8 : 0;
  const strings = entries.map(({ name, path }) => `${name}\0${path}\0`);
  const first = 48 + entries.length * 24;
  const text = strings.join('');
  const bytes = Buffer.alloc(start + first + text.length);
  if (old) {
    bytes.write('ld.so-1.7.0', 0);
    bytes.writeUInt32LE(entries.length, 12);
  }
  bytes.write('glibc-ld.so.cache1.1', start);
  bytes.writeUInt32LE(entries.length, start + 20);
  bytes.writeUInt32LE(text.length, start + 24);
  let at = first;
  entries.forEach(({ name, flags = 0x303, hwcap = 0n }, i) => {
    const entry = start + 48 + i * 24;
    bytes.writeInt32LE(flags, entry);
    bytes.writeUInt32LE(at, entry + 4);
    bytes.writeUInt32LE(at + name.length + 1, entry + 8);
    bytes.writeBigUInt64LE(hwcap, entry + 16);
    at += strings[i]?.length ?? 0;
  });
  bytes.write(text, start + first);
  return bytes;
}

const entries: Entry[] = [
  { name: 'libz.so.1', path: '/lib/glibc-hwcaps/x86-64-v3/libz.so.1', hwcap: 1n << 62n },
  { name: 'libz.so.1', path: '/lib/libz.so.1' },
  { name: 'libz.so.1', path: '/usr/lib/libz.so.1' },
  { name: 'libz.so.1', path: '/lib32/libz.so.1', flags: 0x3 },
];

describe('parseLdSoCache', () => {
  it.each([false, true])('reads the new format, behind the old one too: %s', (old) => {
    expect(parseLdSoCache(cache(entries, old))).toEqual(
      new Map([
        [
          'libz.so.1',
          {
            base: ['/lib/libz.so.1', '/usr/lib/libz.so.1'],
            variants: ['/lib/glibc-hwcaps/x86-64-v3/libz.so.1'],
          },
        ],
      ]),
    );
  });

  it('survives any cut and any changed byte', () => {
    const whole = cache(entries, true);
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseLdSoCache(whole.subarray(0, length))).not.toThrow();
    }
    for (let at = 0; at < whole.length; at++) {
      const changed = Uint8Array.from(whole);
      changed[at] = 0xff;
      expect(() => parseLdSoCache(changed)).not.toThrow();
    }
    expect(parseLdSoCache(new Uint8Array())).toBeUndefined();
  });
});
