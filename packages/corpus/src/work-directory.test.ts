import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockLayout, openWorkDirectory } from './work-directory.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-work-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('openWorkDirectory', () => {
  it('removes what processes have left that are gone, and nothing else', async () => {
    // This process has not started in the first tick after boot: a process of its number has gone.
    for (const name of [`${process.pid}-1`, '4194305-7', 'other']) mkdirSync(join(directory, name));
    const work = await openWorkDirectory(directory);
    expect(readdirSync(directory).sort()).toEqual([work.path.slice(directory.length + 1), 'other'].sort());
    await work.close();
    expect(existsSync(work.path)).toBe(false);
  });
});

describe('lockLayout', () => {
  it('is held by one', async () => {
    const held = await lockLayout(directory);
    await expect(lockLayout(directory)).rejects.toMatchObject({ code: 'corpus/busy' });
    await held.release();
    await (await lockLayout(directory)).release();
  });

  it('is taken over from a process that is gone', async () => {
    writeFileSync(join(directory, '.builder'), `${process.pid}-1`);
    await (await lockLayout(directory)).release();
  });
});
