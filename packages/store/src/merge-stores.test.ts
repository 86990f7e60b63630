import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileDocumentFixture } from '@prof-gen/testkit';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkStore, mergeStores, type NewRun, openStore, type RunOutcome } from './index.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-merge-'));
});
afterEach(() => rmSync(directory, { recursive: true }));
const at = (name: string): string => join(directory, name);

const run: NewRun = {
  dataset: 'three',
  datasetHash: 'h1',
  toolVersion: '0.1.0',
  analyzerVersion: '1',
  options: {},
  kernel: '6.1.0',
};
const error = { code: 'image/not-found', message: 'gone', retryable: false } as const;

/** A file of one run: `+` a finished image, `-` a failed one, and no sign for one that is pending. */
function fileOf(
  name: string,
  plan: readonly string[],
  outcome?: RunOutcome,
  over: Partial<NewRun> = {},
): string {
  const store = openStore(at(name));
  const id = store.runs.begin({ ...run, ...over });
  store.images.plan(
    id,
    plan.map((image) => ({ name: image.replace(/^[+-]/, '') })),
  );
  for (const image of plan) {
    const plain = image.slice(1);
    if (image.startsWith('+')) {
      store.images.start(id, plain);
      const document = profileDocumentFixture({ name: plain });
      store.images.finish(id, plain, { document, dockerProfile: '{}', timings: { open: 1 } });
    } else if (image.startsWith('-')) {
      store.images.start(id, plain);
      store.images.fail(id, plain, error);
    }
  }
  if (outcome !== undefined) store.runs.finish(id, outcome);
  store.close();
  return at(name);
}

/** All rows but ids and times, which are bookkeeping. */
function rowsOf(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    const rows = (sql: string) => database.prepare(sql).raw().all();
    return {
      runs: rows('SELECT dataset, dataset_hash, kernel, outcome FROM runs ORDER BY id'),
      images: rows(
        'SELECT run_id, position, name, state, digest, error FROM images ORDER BY run_id, position',
      ),
      documents: rows(
        'SELECT name, document FROM profiles JOIN images ON images.id = image_id ORDER BY name',
      ),
      files: rows('SELECT sha256 FROM files ORDER BY sha256'),
      evidence: rows('SELECT count(*) FROM evidence'),
    };
  } finally {
    database.close();
  }
}

describe('files of results that are merged', () => {
  it('become one run with every image once, the finished ones first', async () => {
    const a = fileOf('a.db', ['+redis', '-nginx', 'python']);
    const b = fileOf('b.db', ['redis', '+nginx', '+python']);
    const merged = await mergeStores([a, b], at('ab.db'));
    expect(merged).toEqual([{ dataset: 'three', done: 3, failed: 0, pending: 0, repeated: 0 }]);
    const store = openStore(at('ab.db'), { readOnly: true });
    const [only, ...others] = store.runs.list();
    expect(others).toEqual([]);
    expect(only?.outcome).toBe('done');
    expect(store.images.list(only?.id as never).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'redis done',
      'nginx done',
      'python done',
    ]);
    expect(store.images.result(only?.id as never, 'nginx')?.document).toEqual(
      profileDocumentFixture({ name: 'nginx' }),
    );
    store.close();
    expect(checkStore(at('ab.db'))).toEqual([]);
  });

  it('do not depend on the order, nor on a file that is there twice', async () => {
    const a = fileOf('a.db', ['+redis', '-nginx'], 'partly');
    const b = fileOf('b.db', ['+nginx', '+redis'], 'done', { kernel: '6.12.0' });
    const c = fileOf('c.db', ['+perl'], 'done', { toolVersion: '0.2.0' });
    await mergeStores([a, b, c], at('abc.db'));
    await mergeStores([c, b, a], at('cba.db'));
    await mergeStores([c, at('abc.db'), a, a, b], at('again.db'));
    expect(rowsOf(at('cba.db'))).toEqual(rowsOf(at('abc.db')));
    const again = rowsOf(at('again.db')) as { images: unknown; documents: unknown };
    const once = rowsOf(at('abc.db')) as { images: unknown; documents: unknown };
    expect([again.images, again.documents]).toEqual([once.images, once.documents]);
  });

  it('have no outcome while an image is done nowhere, and can be resumed', async () => {
    const a = fileOf('a.db', ['+redis', 'nginx']);
    const [merged] = await mergeStores([a], at('m.db'));
    expect(merged).toMatchObject({ done: 1, pending: 1 });
    const store = openStore(at('m.db'));
    const id = store.runs.unfinished(run);
    expect(id !== undefined && store.images.pending(id)).toEqual(['nginx']);
    store.close();
  });

  it('are refused over a file that exists, and when a name is two images', async () => {
    const a = fileOf('a.db', ['+redis'], 'done');
    await expect(mergeStores([a], a)).rejects.toThrow(/exists already/);
    const b = fileOf('b.db', ['+redis'], 'done');
    const database = new Database(b);
    database.exec("UPDATE images SET digest = 'sha256:other'");
    database.close();
    await expect(mergeStores([a, b], at('m.db'))).rejects.toMatchObject({ code: 'store/other-image' });
    expect(() => openStore(at('m.db'), { readOnly: true })).toThrow(/there is no file/);
  });
});

describe('a file of results that is checked', () => {
  const damaged = (sql: string) => {
    const file = fileOf('d.db', ['+redis', '+nginx'], 'done');
    const database = new Database(file);
    database.pragma('foreign_keys = OFF');
    database.exec(sql);
    database.close();
    return checkStore(file);
  };

  it('has no problem as it was written', () => {
    expect(checkStore(fileOf('a.db', ['+redis', '-nginx'], 'partly'))).toEqual([]);
  });

  it.each([
    [
      "UPDATE syscalls SET allowed = 0, errno = 'EPERM', reason = 'x' WHERE name = 'read'",
      /^the table syscalls says/,
    ],
    ['DELETE FROM evidence WHERE position = 0', /^the table evidence says/],
    ['UPDATE profiles SET allowed = allowed - 1', /^the table profiles says/],
    [`UPDATE profiles SET document = '{"schemaVersion":1}'`, /^the document of redis/],
    [
      "UPDATE images SET state = 'pending', digest = NULL, finished_at = NULL WHERE name = 'redis'",
      /has ended \(done\)/,
    ],
    ['DELETE FROM files', /^a row of (programs|objects) refers to a row of files/],
  ])('is not good after %s', (sql, problem) => {
    expect(damaged(sql)[0]?.problem).toMatch(problem);
  });
});
