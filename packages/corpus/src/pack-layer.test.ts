import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobPath } from './layout.js';
import { markDeletions, packLayer } from './pack-layer.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-pack-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A tree made anew, in another order and at another time. */
function tree(name: string, names: readonly string[]): string {
  const root = join(directory, name);
  mkdirSync(join(root, 'sub'), { recursive: true });
  for (const one of names) writeFileSync(join(root, 'sub', one), one);
  symlinkSync('sub/a', join(root, 'link'));
  linkSync(join(root, 'sub/a'), join(root, 'sub/z-same'));
  writeFileSync(join(root, 'old'), 'kept');
  utimesSync(join(root, 'old'), 1_000_000_000, 1_000_000_000);
  return root;
}

const pack = (root: string) =>
  packLayer(
    root,
    join(directory, 'layout'),
    Math.floor(Date.now() / 1000) - 60,
    join(directory, 'log'),
    undefined,
  );

describe('packLayer', () => {
  it('gives equal bytes for equal trees, and keeps hard links and old times', async () => {
    const first = await pack(tree('one', ['a', 'b', 'c']));
    const second = await pack(tree('two', ['c', 'a', 'b']));
    expect(second).toEqual(first);
    const file = blobPath(join(directory, 'layout'), first.digest);
    const listed = execFileSync('tar', [
      '--list',
      '--verbose',
      '--utc',
      '--full-time',
      '--file',
      file,
    ]).toString();
    const lines = listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/^(\S+) \S+ +\d+ /, '$1 '));
    expect(lines).toEqual([
      'lrwxrwxrwx 1970-01-01 00:00:00 link -> sub/a',
      '-rw-r--r-- 2001-09-09 01:46:40 old',
      'drwxr-xr-x 1970-01-01 00:00:00 sub/',
      '-rw-r--r-- 1970-01-01 00:00:00 sub/a',
      '-rw-r--r-- 1970-01-01 00:00:00 sub/b',
      '-rw-r--r-- 1970-01-01 00:00:00 sub/c',
      'hrw-r--r-- 1970-01-01 00:00:00 sub/z-same link to sub/a',
    ]);
  });

  it('packs an empty tree', async () => {
    mkdirSync(join(directory, 'none'));
    expect((await pack(join(directory, 'none'))).size).toBeGreaterThan(0);
  });
});

describe('markDeletions', () => {
  it('gives one whiteout to the top of what is gone, and none where a file took its place', async () => {
    const upper = join(directory, 'upper');
    mkdirSync(join(upper, 'opaque'), { recursive: true });
    writeFileSync(join(upper, 'file-now'), '');
    const lower = [
      './gone',
      './gone/a',
      './gone/a/b',
      './opaque',
      './opaque/x',
      './file-now',
      './file-now/y',
      './kept',
    ];
    await markDeletions(upper, lower, new Set(['./opaque', './file-now', './kept']));
    const names = readdirSync(upper, { recursive: true }) as string[];
    expect(names.sort()).toEqual(['.wh.gone', 'file-now', 'opaque', 'opaque/.wh.x']);
  });
});
