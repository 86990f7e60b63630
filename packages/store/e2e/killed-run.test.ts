import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { profileDocumentFixture } from '@prof-gen/testkit';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../src/index.js';

const root = resolve(import.meta.dirname, '../../..');
const program = join(import.meta.dirname, 'write-until-killed.js');
const directory = mkdtempSync(join(tmpdir(), 'prof-gen-killed-'));
const file = join(directory, 'results.db');
const input = join(directory, 'input.json');

const run = {
  dataset: 'd',
  datasetHash: 'h',
  toolVersion: '1',
  analyzerVersion: '1',
  options: {},
  kernel: 'k',
};
const names = Array.from({ length: 150 }, (_, index) => `image-${index}`);
const result = {
  document: profileDocumentFixture({ name: 'redis' }),
  dockerProfile: '{}\n',
  timings: { open: 1, link: 2 },
};

beforeAll(() => {
  execFileSync('npx', ['tsc', '-b', 'packages/store/tsconfig.lib.json'], { cwd: root, stdio: 'pipe' });
  writeFileSync(input, JSON.stringify({ run, names, result }));
});
afterAll(() => rmSync(directory, { recursive: true }));

/**
 * Runs the writer; ends it `delay` milliseconds after it has told of `images` images unless it is done before.
 * Counted in images and not in time alone: so many are left for the next rounds however quick the disk is.
 */
function write(images: number, delay: number): Promise<{ finished: readonly string[]; killed: boolean }> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [program, file, input], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split('\n').length > images) timer ??= setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== 'SIGKILL' && code !== 0) failed(new Error(errors));
      else done({ finished: output.split('\n').slice(0, -1), killed: signal === 'SIGKILL' });
    });
  });
}

it('a run that is killed again and again is consistent each time and ends complete', async () => {
  const seen = new Set<string>();
  let kills = 0;
  for (let round = 0; ; round += 1) {
    // The delays are spread over the time that an image takes.
    const { finished, killed } = await write(1 + ((round * 5) % 12), (round * 7) % 4);
    for (const name of finished) {
      expect(seen.has(name), `${name} was done twice`).toBe(false);
      seen.add(name);
    }
    const database = new Database(file, { readonly: true });
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
    // Nothing half: whoever is done has everything, whoever is not has nothing.
    const calls = result.document.syscalls.length + result.document.denied.length;
    const rows = database
      .prepare(
        `SELECT state, (SELECT count(*) FROM syscalls WHERE image_id = images.id) AS calls,
           (SELECT count(*) FROM steps WHERE image_id = images.id) AS steps,
           (SELECT count(*) FROM timings WHERE image_id = images.id) AS timings FROM images`,
      )
      .all() as { state: string; calls: number; steps: number; timings: number }[];
    for (const { state, ...counts } of rows) {
      expect(counts).toEqual(
        state === 'done' ? { calls, steps: 4, timings: 2 } : { calls: 0, steps: 0, timings: 0 },
      );
    }
    // What was reported as finished is there, though the process was killed at once afterwards.
    const done = rows.filter(({ state }) => state === 'done').length;
    expect(done).toBeGreaterThanOrEqual(seen.size);
    database.close();
    // An image may have been kept and not told of: count it, so that doing it again would be noticed.
    const reader = openStore(file, { readOnly: true });
    const [latest] = reader.runs.list();
    expect(reader.runs.list()).toHaveLength(1);
    if (latest !== undefined) {
      for (const { name, state } of reader.images.list(latest.id)) if (state === 'done') seen.add(name);
    }
    reader.close();
    if (killed) kills += 1;
    // It may have been ended after its last word, too.
    if (latest?.outcome !== undefined) break;
    expect(killed, 'a writer that was not killed has finished the run').toBe(true);
  }
  expect(kills).toBeGreaterThan(5);
  const store = openStore(file, { readOnly: true });
  const [only] = store.runs.list();
  expect(only?.outcome).toBe('done');
  if (only !== undefined)
    expect(store.images.results(only.id)).toEqual(names.map((name) => ({ name, ...result })));
  store.close();
});
