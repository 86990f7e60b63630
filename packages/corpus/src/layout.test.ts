import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Digest, ociIndexSchema } from '@prof-gen/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addImage, addToLock, blobPath, findImage, lockPath, readLock } from './layout.js';

let layout: string;
beforeEach(() => {
  layout = mkdtempSync(join(tmpdir(), 'prof-gen-layout-'));
});
afterEach(() => rmSync(layout, { recursive: true, force: true }));

function blob(text: string): { digest: Digest; size: number } {
  const digest: Digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  mkdirSync(dirname(blobPath(layout, digest)), { recursive: true });
  writeFileSync(blobPath(layout, digest), text);
  return { digest, size: text.length };
}

const config = (text: string) => Buffer.from(JSON.stringify({ text }));
const suite = (layer: Digest) => ({ key: 'k', layer, size: 4, packages: {} });

describe('a layout', () => {
  it('has every image that was added at once, sorted by name', async () => {
    const layers = [blob('base')];
    await Promise.all(['c', 'a', 'b'].map((name) => addImage(layout, name, config(name), layers)));
    const index = ociIndexSchema.parse(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')));
    expect(
      index.manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']),
    ).toEqual(['a', 'b', 'c']);
    expect(await findImage(layout, 'b')).toMatchObject({ layers });
  });

  it('does not give an image that lacks a blob', async () => {
    const layer = blob('layer');
    await addImage(layout, 'a', config('a'), [layer]);
    writeFileSync(blobPath(layout, layer.digest), 'half');
    expect(await findImage(layout, 'a')).toBeUndefined();
    expect(await findImage(layout, 'b')).toBeUndefined();
  });

  it('loses what only the replaced image had, and keeps bases and what others have', async () => {
    const [base, old, common] = [blob('base'), blob('old!'), blob('both')];
    await addToLock(layout, { suites: { sid: suite(base.digest) } });
    await addImage(layout, 'a', config('a'), [base, old, common]);
    await addImage(layout, 'b', config('b'), [common]);
    await addImage(layout, 'a', config('a'), [blob('new!')]);
    const left = readdirSync(join(layout, 'blobs/sha256'));
    expect(left).toContain(base.digest.slice(7));
    expect(left).toContain(common.digest.slice(7));
    expect(left).not.toContain(old.digest.slice(7));
    expect(left).toHaveLength(3 + 2 * 2);
  });

  it('keeps all that is added to its lock at once', async () => {
    const { digest } = blob('base');
    const names = ['bookworm', 'bullseye', 'sid'];
    await Promise.all(names.map((name) => addToLock(layout, { suites: { [name]: suite(digest) } })));
    expect(Object.keys((await readLock(lockPath(layout)))?.suites ?? {})).toEqual(names);
  });

  it('says when its files are no such files', async () => {
    writeFileSync(lockPath(layout), '{"schemaVersion":2}');
    await expect(readLock(lockPath(layout))).rejects.toMatchObject({ code: 'corpus/bad-layout' });
    writeFileSync(join(layout, 'index.json'), '{');
    await expect(findImage(layout, 'a')).rejects.toMatchObject({ code: 'corpus/bad-layout' });
  });
});
