import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageComparison } from '@prof-gen/core';
import { profileDocumentFixture } from '@prof-gen/testkit';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NewRun, openStore, type RunId, type Store } from './index.js';
import { resultsSchema } from './migrations/results-schema.js';

let directory: string;
let file: string;
let store: Store;

const run: NewRun = {
  dataset: 'three',
  datasetHash: 'h1',
  toolVersion: '0.1.0',
  analyzerVersion: '1',
  options: { static: false, b: [1, null] },
  kernel: '6.1.0',
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-store-'));
  file = join(directory, 'deep', 'results.db');
  store = openStore(file);
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

const result = (name: string) => ({
  document: profileDocumentFixture({ name }),
  dockerProfile: '{"defaultAction":"SCMP_ACT_ERRNO"}\n',
  timings: { open: 12.5, link: 30 },
});

/** Reads the file beside the store, as a researcher would. */
function query<T>(sql: string, ...values: unknown[]): T[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).all(...values) as T[];
  } finally {
    database.close();
  }
}

describe('a file of results', () => {
  it('gives back what it was given and spreads it over the tables', () => {
    const id = store.runs.begin(run);
    store.images.plan(id, [{ name: 'redis' }]);
    store.images.start(id, 'redis');
    const given = result('redis');
    store.images.finish(id, 'redis', given);
    expect(store.images.result(id, 'redis')).toEqual(given);
    expect(store.images.results(id)).toEqual([{ name: 'redis', ...given }]);

    const { document } = given;
    const names = (allowed: number) =>
      query<{ name: string }>('SELECT name FROM syscalls WHERE allowed = ? ORDER BY name', allowed).map(
        (row) => row.name,
      );
    expect(names(1)).toEqual(document.syscalls.map(({ name }) => name));
    expect(names(0)).toEqual(document.denied.map(({ name }) => name));
    const reasons = [...document.syscalls, ...document.denied].flatMap(({ evidence }) => evidence);
    expect(query('SELECT * FROM evidence')).toHaveLength(reasons.length);
    expect(query('SELECT path FROM objects WHERE program = 0 ORDER BY position')).toEqual(
      document.programs[0]?.objects.map(({ path }) => ({ path })),
    );
    expect(query('SELECT name, status, allowed, proof, denials, seconds FROM overview')).toEqual([
      { name: 'redis', status: 'proven', allowed: 90, proof: 'passed', denials: 0, seconds: 0.0425 },
    ]);
  });

  it('keeps what other methods find, and what each of them would have denied', () => {
    const id = store.runs.begin(run);
    store.images.plan(id, [{ name: 'a' }, { name: 'b' }]);
    const seen = (name: string) => ({ name, program: '/bin/x', phase: 'start' });
    const comparison: ImageComparison = {
      schemaVersion: 1,
      language: 'Go',
      libc: 'none',
      lines: [
        { line: 'prof-gen', allowed: ['read', 'socket'], conditional: ['socket'] },
        { line: 'confine', allowed: ['read'], conditional: [] },
      ],
      confine: {
        basis: 'trace',
        programs: ['/bin/x'],
        files: 1,
        unreadable: [],
        direct: [],
        undecided: 0,
        imported: ['read'],
        java: false,
      },
      observed: [seen('read'), seen('socket')],
      proof: { status: 'passed', seen: [seen('read')], denied: [] },
    };
    for (const name of ['a', 'b']) store.images.start(id, name);
    store.images.finish(id, 'a', { ...result('a'), comparison });
    store.images.finish(id, 'b', result('b'));
    expect(store.images.result(id, 'a')?.comparison).toEqual(comparison);
    expect(store.images.result(id, 'b')).not.toHaveProperty('comparison');
    expect(query('SELECT line, during, syscall FROM line_misses')).toEqual([
      { line: 'confine', during: 'observation', syscall: 'socket' },
    ]);
    expect(query("SELECT syscall FROM line_syscalls WHERE line = 'prof-gen' AND conditional")).toEqual([
      { syscall: 'socket' },
    ]);
  });

  it('resumes the latest unfinished run of the same identity, and only that', () => {
    const id = store.runs.begin(run);
    store.images.plan(id, [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }]);
    store.images.start(id, 'a');
    store.images.finish(id, 'a', result('a'));
    store.images.start(id, 'b');
    store.images.start(id, 'c');
    store.images.fail(id, 'c', { code: 'registry/gone', message: 'gone' });
    store.close();

    store = openStore(file);
    const same = { ...run, options: { b: [1, null], static: false } };
    expect(store.runs.unfinished(same)).toBe(id);
    for (const other of [
      { datasetHash: 'h2' },
      { toolVersion: '0.2.0' },
      { analyzerVersion: '2' },
      { options: {} },
    ]) {
      expect(store.runs.unfinished({ ...run, ...other })).toBeUndefined();
    }
    store.images.plan(id, [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }]);
    expect(() => store.images.plan(id, [{ name: 'a' }])).toThrow(
      expect.objectContaining({ code: 'store/other-plan' }),
    );
    expect(store.images.pending(id)).toEqual(['b', 'd']);
    expect(store.images.retryFailed(id)).toEqual(['c']);
    expect(store.images.pending(id)).toEqual(['b', 'c', 'd']);
    expect(() => store.images.finish(id, 'a', result('a'))).toThrow(
      expect.objectContaining({ code: 'store/unknown-image' }),
    );
    store.images.start(id, 'b');
    expect(store.images.list(id).map(({ attempts }) => attempts)).toEqual([1, 2, 1, 0]);
    store.runs.finish(id, 'partly');
    expect(store.runs.unfinished(run)).toBeUndefined();
    expect(store.runs.get(id)).toMatchObject({ ...run, outcome: 'partly' });
  });

  it('keeps nothing of a document that contradicts itself', () => {
    const id = store.runs.begin(run);
    store.images.plan(id, [{ name: 'a' }]);
    const { document, ...rest } = result('a');
    const twice = { ...document, denied: [...document.denied, ...document.denied.slice(-1)] };
    expect(() => store.images.finish(id, 'a', { ...rest, document: twice })).toThrow(
      expect.objectContaining({ code: 'store/inconsistent' }),
    );
    expect(store.images.pending(id)).toEqual(['a']);
    for (const table of ['profiles', 'syscalls', 'evidence', 'programs', 'timings', 'files']) {
      expect(query(`SELECT * FROM ${table}`), table).toEqual([]);
    }
  });

  it('has strict tables and enforced keys', () => {
    const loose = query<{ name: string }>(
      "SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'",
    );
    expect(loose).toEqual([]);
    expect(() => store.images.plan(99 as RunId, [{ name: 'a' }])).toThrow(
      expect.objectContaining({ code: 'store/inconsistent' }),
    );
    expect(() => store.runs.begin({ ...run, kernel: new Uint8Array(2) as unknown as string })).toThrow(
      expect.objectContaining({ code: 'store/inconsistent' }),
    );
  });

  it('has one writer, and readers beside it', () => {
    expect(() => openStore(file)).toThrow(expect.objectContaining({ code: 'store/locked', retryable: true }));
    const id = store.runs.begin(run);
    const reader = openStore(file, { readOnly: true });
    expect(reader.runs.list().map((each) => each.id)).toEqual([id]);
    expect(() => reader.runs.begin(run)).toThrow(expect.objectContaining({ code: 'store/read-only' }));
    reader.close();
    store.close();
    openStore(file).close();
  });
});

describe('a file that is not as it should be', () => {
  const other = (name: string, prepare: (database: Database.Database) => void) => {
    const path = join(directory, name);
    const database = new Database(path);
    prepare(database);
    database.close();
    return path;
  };

  it.each([
    [
      'store/newer-schema',
      (d: Database.Database) =>
        d.exec(`PRAGMA application_id = ${resultsSchema.applicationId}; PRAGMA user_version = 99`),
    ],
    ['store/not-ours', (d: Database.Database) => d.exec('CREATE TABLE theirs (a)')],
    ['store/not-ours', (d: Database.Database) => d.exec('PRAGMA application_id = 7')],
  ])('is refused: %s', (code, prepare) => {
    expect(() => openStore(other('other.db', prepare))).toThrow(
      expect.objectContaining({ code, hint: expect.any(String) }),
    );
  });

  it('is refused when it is no database, or cannot be one', () => {
    const text = join(directory, 'text.db');
    writeFileSync(text, 'not a database, but long enough to look at: '.repeat(40));
    expect(() => openStore(text)).toThrow(expect.objectContaining({ code: 'store/not-a-database' }));
    expect(() => openStore(join(text, 'below.db'))).toThrow(
      expect.objectContaining({ code: 'store/cannot-open' }),
    );
    expect(() => openStore(directory)).toThrow(expect.objectContaining({ code: 'store/cannot-open' }));
    // The lock of a failed open is given back.
    expect(() => openStore(text)).toThrow(expect.objectContaining({ code: 'store/not-a-database' }));
  });

  it('opens at version 1, whatever has been added since', () => {
    const first = other('v1.db', (d) => {
      d.exec(resultsSchema.migrations[0]?.sql ?? '');
      d.exec(`PRAGMA application_id = ${resultsSchema.applicationId}; PRAGMA user_version = 1`);
      d.exec("INSERT INTO runs VALUES (7, 'd', 'h', '0', '1', '{}', NULL, 'k', NULL, 0, NULL)");
      d.exec("INSERT INTO images (run_id, position, name, state) VALUES (7, 0, 'a', 'started')");
    });
    // A reader takes it as it is, and leaves it so.
    const reader = openStore(first, { readOnly: true });
    expect(reader.runs.list()).toMatchObject([{ id: 7, dataset: 'd' }]);
    expect(reader.images.results(7 as RunId)).toEqual([]);
    reader.close();
    const opened = openStore(first);
    expect(opened.runs.list()).toMatchObject([{ id: 7, dataset: 'd' }]);
    expect(opened.images.pending(7 as RunId)).toEqual(['a']);
    opened.close();
  });
});
