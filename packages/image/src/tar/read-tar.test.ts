import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ProfGenError } from '@prof-gen/core';
import { adversarialLayers, buildLayer } from '@prof-gen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentStore } from '../cache/content-store.js';
import { indexLayer } from '../layer/index-layer.js';
import { defaultImageLimits } from '../limits/image-limits.js';
import { StreamInput } from '../stream/byte-input.js';
import { decompress } from '../stream/decompress.js';
import { decodeFileName, encodeFileName } from './file-name.js';
import { readTar } from './read-tar.js';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-tar-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** In pieces of odd lengths, so that no header comes in one. */
function pieces(bytes: Uint8Array, length = 333): AsyncIterable<Uint8Array> {
  const starts = Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => i * length);
  return Readable.from(starts.map((at) => bytes.subarray(at, at + length)));
}

async function read(
  bytes: Uint8Array,
): Promise<Record<string, { type: string; size: number; content: Buffer; link: string }>> {
  const members: Awaited<ReturnType<typeof read>> = {};
  for await (const member of readTar(new StreamInput(pieces(bytes)))) {
    const { name, type, size, linkName } = member;
    const parts: Uint8Array[] = [];
    for await (const part of member.content()) parts.push(part);
    members[name] = { type, size, link: linkName, content: Buffer.concat(parts) };
  }
  return members;
}

describe('readTar', () => {
  it.each(['v7', 'ustar', 'gnu', 'oldgnu', 'posix'])("reads GNU tar's format %s", async (format) => {
    const root = join(directory, format);
    mkdirSync(join(root, 'd'), { recursive: true });
    writeFileSync(join(root, 'd', 'file'), 'content');
    const long = format === 'v7' ? 'short' : 'l'.repeat(99);
    writeFileSync(join(root, long), 'long');
    const tar = execFileSync('tar', ['-C', root, `--format=${format}`, '-c', 'd', long]);
    const members = await read(tar);
    expect(members['d/']?.type).toBe('directory');
    expect(members['d/file']?.content.toString()).toBe('content');
    expect(members[long]?.content.toString()).toBe('long');
  });

  it.each([
    ['gnu', []],
    ['posix', ['--sparse-version=0.0']],
    ['posix', ['--sparse-version=0.1']],
    ['posix', ['--sparse-version=1.0']],
  ])('reads sparse files in the format %s %s', async (format, options) => {
    const root = join(directory, `sparse-${format}${options.join('')}`);
    mkdirSync(root);
    const file = openSync(join(root, 'holes'), 'w');
    ftruncateSync(file, 3_000_000);
    for (let i = 0; i < 12; i += 1) writeSync(file, `run ${i}`, i * 200_000 + 5000);
    closeSync(file);
    writeFileSync(join(root, 'next'), 'next');
    const tar = execFileSync(
      'tar',
      ['-C', root, `--format=${format}`, ...options, '--sparse', '-c', 'holes', 'next'],
      {
        maxBuffer: 1 << 24,
      },
    );
    expect(tar.length).toBeLessThan(1_000_000);
    const members = await read(tar);
    expect(members['next']?.content.toString()).toBe('next');
    const holes = members['holes'];
    expect(holes?.size).toBe(3_000_000);
    expect(holes?.content.length).toBe(3_000_000);
    for (let i = 0; i < 12; i += 1) {
      expect(holes?.content.toString('latin1', i * 200_000 + 5000, i * 200_000 + 5005)).toBe(
        `run ${i}`.slice(0, 5),
      );
    }
  });

  it('skips what is not read, and peeking takes nothing', async () => {
    const tar = buildLayer([
      { name: 'a', content: Buffer.alloc(5000, 1) },
      { name: 'b', content: 'second' },
    ]);
    const names: string[] = [];
    for await (const member of readTar(new StreamInput(pieces(tar)))) {
      names.push(member.name);
      const head = await member.peek(4);
      if (member.name !== 'b') continue;
      const parts: Uint8Array[] = [];
      for await (const part of member.content()) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe('second');
      expect(Buffer.from(head).toString()).toBe('seco');
    }
    expect(names).toEqual(['a', 'b']);
  });
});

describe('file names', () => {
  it('survive whatever their bytes are', () => {
    const random = generator(7);
    for (let i = 0; i < 2000; i += 1) {
      const bytes = Buffer.from(
        Array.from({ length: 12 }, () => (random() < 0.5 ? 0xc0 + random() * 64 : random() * 256)),
      );
      expect(encodeFileName(decodeFileName(bytes)).equals(bytes)).toBe(true);
    }
    expect(decodeFileName(Buffer.from('näme😀'))).toBe('näme😀');
  });
});

/** mulberry32: small, seeded, the same everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Gives a mutated header its checksum back in half of the cases, so that what lies behind it is reached. */
function mutated(seed: number, source: Uint8Array): Buffer {
  const random = generator(seed);
  const pick = (limit: number): number => Math.floor(random() * limit);
  let bytes = Buffer.from(source);
  for (let i = pick(3); i >= 0; i -= 1) {
    const header = pick(bytes.length / 512) * 512;
    const field = [0, 100, 124, 156, 157, 257, 329, 345, 386, 482][pick(10)] ?? 0;
    for (let n = 1 + pick(12); n > 0; n -= 1)
      bytes[header + field + pick(12)] = pick(random() < 0.5 ? 256 : 8) + (random() < 0.5 ? 0 : 48);
    if (random() < 0.8) {
      bytes.fill(0x20, header + 148, header + 156);
      const sum = bytes.subarray(header, header + 512).reduce((total, byte) => total + byte, 0);
      bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, header + 148, 'latin1');
    }
  }
  if (random() < 0.2) bytes = bytes.subarray(0, pick(bytes.length));
  if (random() < 0.2)
    bytes = Buffer.concat([bytes.subarray(0, pick(bytes.length)), bytes.subarray(pick(bytes.length))]);
  return bytes;
}

describe('200 mutated archives', () => {
  const large = buildLayer(
    Array.from({ length: 40 }, (_, i) => ({
      name: `d${i % 5}/f${i}`,
      content: 'x'.repeat(i * 30),
      mode: 0o755,
    })),
  );
  const sources = [
    ...Object.values(adversarialLayers).map(({ layer }) => layer),
    ...Array<Uint8Array>(20).fill(large),
  ];
  const limits = { ...defaultImageLimits, bytes: 1 << 24, keptElfBytes: 1 << 20, zstdWindowBytes: 1 << 20 };

  it('are read or refused, never anything else', async () => {
    const store = contentStore(join(directory, 'cache'));
    const outcomes = { read: 0, refused: 0 };
    for (let seed = 1; seed <= 200; seed += 1) {
      const bytes = mutated(seed, sources[seed % sources.length] as Uint8Array);
      try {
        await indexLayer(new StreamInput(decompress(pieces(bytes, 4096), limits)), store, limits);
        outcomes.read += 1;
      } catch (thrown) {
        expect(thrown, `seed ${seed}`).toBeInstanceOf(ProfGenError);
        outcomes.refused += 1;
      }
    }
    // Both must occur, or the mutations reach nothing.
    expect(outcomes.read).toBeGreaterThan(10);
    expect(outcomes.refused).toBeGreaterThan(50);
  }, 30_000);

  it('compressed ones too', async () => {
    const plain = buildLayer([{ name: 'a', content: Buffer.alloc(40_000, 'abc') }]);
    for (const program of ['gzip', 'zstd']) {
      const compressed = execFileSync(program, ['-c'], { input: plain, stdio: ['pipe', 'pipe', 'ignore'] });
      for (let seed = 1; seed <= 100; seed += 1) {
        const random = generator(seed);
        const bytes = Buffer.from(compressed);
        for (let i = 0; i < 3; i += 1) bytes[4 + Math.floor(random() * (bytes.length - 4))] = random() * 256;
        let length = 0;
        try {
          for await (const chunk of decompress(pieces(bytes), limits)) length += chunk.length;
        } catch (thrown) {
          expect(thrown, `${program}, seed ${seed}`).toBeInstanceOf(ProfGenError);
        }
        expect(length).toBeLessThan(1 << 26);
      }
    }
  });
});
