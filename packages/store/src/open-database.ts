import { existsSync } from 'node:fs';
import { ProfGenError, printable } from '@prof-gen/core';
import Database from 'better-sqlite3';
import { makeDirectoryOf } from './make-directory-of.js';
import { check, migrate } from './migrations/migrate.js';
import type { Schema } from './migrations/migration.js';
import { inStore } from './store-error.js';

export interface DatabaseOptions {
  /** How long a statement waits for another connection's lock, milliseconds. */
  readonly busyTimeout?: number;
  /**
   * `full`: what was committed survives a power cut. `normal`: the last transactions may be lost then, and the
   * file is consistent nevertheless (https://www.sqlite.org/pragma.html#pragma_synchronous, for WAL).
   */
  readonly durability: 'full' | 'normal';
  readonly readOnly?: boolean;
}

/**
 * Opens or creates a database in WAL mode with foreign keys enforced, in the present form of `schema`.
 * `:memory:` works and is kept nowhere.
 */
export function openDatabase(file: string, schema: Schema, options: DatabaseOptions): Database.Database {
  if (options.readOnly !== true) makeDirectoryOf(file);
  else if (!existsSync(file)) {
    throw new ProfGenError('store/cannot-open', `there is no file ${printable(file)}`);
  }
  return inStore(file, () => {
    const database = new Database(file, {
      timeout: options.busyTimeout ?? 10_000,
      readonly: options.readOnly ?? false,
      fileMustExist: options.readOnly ?? false,
    });
    try {
      if (options.readOnly === true) {
        const version = check(database, schema);
        const readable = schema.readableFrom ?? schema.migrations.length;
        if (version < readable) throw older(file, version, readable);
      } else {
        // Before anything is written: WAL is a property of the file, and a foreign file must stay untouched.
        check(database, schema);
        database.pragma('journal_mode = WAL');
        database.pragma(`synchronous = ${options.durability}`);
        migrate(database, schema);
      }
      database.pragma('foreign_keys = ON');
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function older(file: string, version: number, known: number): ProfGenError {
  return new ProfGenError(
    'store/older-schema',
    `${printable(file)} has schema ${version}, and this version of Prof-gen reads ${known} and later`,
    { hint: 'open it once for writing, by resuming a run or starting one, and it is brought up to date' },
  );
}
