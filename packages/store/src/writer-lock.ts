import { ProfGenError, printable } from '@prof-gen/core';
import Database from 'better-sqlite3';
import { makeDirectoryOf } from './make-directory-of.js';
import { inStore, storeError } from './store-error.js';

/**
 * Makes this process the one writer of `file` until `release`, or until it ends in whatever way.
 *
 * The lock is an exclusive transaction, never committed, on an empty database beside the file: so the system's
 * file locks are used, which a killed process cannot leave behind, and readers of the file itself are not held up.
 * @throws ProfGenError `store/locked` at once when another process holds it
 */
export function lockForWriting(file: string): { release(): void } {
  if (file === ':memory:') return { release() {} };
  makeDirectoryOf(file);
  const lockFile = `${file}.lock`;
  const lock = inStore(lockFile, () => new Database(lockFile, { timeout: 0 }));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) {
      throw storeError(error, lockFile);
    }
    throw new ProfGenError('store/locked', `another process is writing to ${printable(file)}`, {
      hint: 'wait until that run ends, or name another file for the results of this one',
      retryable: true,
      details: { file },
    });
  }
  return { release: () => lock.close() };
}
