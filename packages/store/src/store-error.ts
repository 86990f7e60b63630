import { type ErrorCode, ProfGenError, printable } from '@prof-gen/core';
import Database from 'better-sqlite3';

/**
 * SQLite's result codes (https://www.sqlite.org/rescode.html) as errors of Prof-gen, by their primary code:
 * extended ones, such as SQLITE_BUSY_SNAPSHOT, begin with it.
 */
const meanings: readonly (readonly [prefix: string, code: ErrorCode, message: string, hint: string])[] = [
  ['SQLITE_BUSY', 'store/locked', 'another process is writing', 'wait until it ends, or name another file'],
  ['SQLITE_LOCKED', 'store/locked', 'another connection is writing', 'wait until it ends'],
  ['SQLITE_FULL', 'environment/disk-full', 'no space is left', 'free some space and resume the run'],
  [
    'SQLITE_CORRUPT',
    'store/corrupt',
    'the database is damaged',
    'move the file away and start anew; `sqlite3 FILE .recover` may save its rows',
  ],
  ['SQLITE_NOTADB', 'store/not-a-database', 'this is not an SQLite database', 'name another file'],
  [
    'SQLITE_READONLY',
    'store/read-only',
    'the file cannot be written',
    'check the permissions of the file and of its directory: SQLite writes beside it as well',
  ],
  [
    'SQLITE_CANTOPEN',
    'store/cannot-open',
    'the file cannot be opened',
    'check that the path is a file and that its directory can be written',
  ],
  [
    'SQLITE_CONSTRAINT',
    'store/inconsistent',
    'the rows contradict each other',
    'this is a defect of Prof-gen: please report it with this message',
  ],
];

/** What SQLite threw, as an error of Prof-gen that names the file; anything else comes back unchanged. */
export function storeError(thrown: unknown, file: string): unknown {
  if (!(thrown instanceof Database.SqliteError)) return thrown;
  const details = { file, sqlite: thrown.code };
  const known = meanings.find(([prefix]) => thrown.code.startsWith(prefix));
  const what = printable(thrown.message);
  if (known !== undefined) {
    const [, code, message, hint] = known;
    const retryable = code === 'store/locked' || code === 'environment/disk-full';
    return new ProfGenError(code, `${printable(file)}: ${message} (${what})`, { hint, retryable, details });
  }
  // A full disk also shows as a failed write, sync or truncate (SQLITE_IOERR_*), depending on the file system.
  return new ProfGenError('store/failed', `${printable(file)}: ${what}`, {
    hint: 'check the disk: free space, permissions, errors in the kernel log',
    details,
  });
}

/** Runs `work`; errors of SQLite leave it as errors of Prof-gen. */
export function inStore<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storeError(thrown, file);
  }
}
