import { ProfGenError, printable } from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import type { Schema } from './migration.js';

/**
 * Brings a database to the present form of `schema`, in one transaction: a process that is killed meanwhile
 * leaves the old form. `PRAGMA user_version` is the number of steps taken.
 * @throws ProfGenError `store/newer-schema`, `store/not-ours`
 */
export function migrate(database: Database, schema: Schema): void {
  const current = schema.migrations.length;
  if (check(database, schema) === current) return;
  // Tables can be rebuilt only while keys are not enforced, and that cannot be switched inside a transaction.
  database.pragma('foreign_keys = OFF');
  database
    .transaction(() => {
      // Again under the lock: another process may have been quicker.
      const from = check(database, schema);
      for (const { sql } of schema.migrations.slice(from)) database.exec(sql);
      const broken = database.pragma('foreign_key_check') as unknown[];
      if (broken.length > 0) {
        throw new ProfGenError(
          'store/inconsistent',
          `${printable(database.name)}: after the migration ${broken.length} rows refer to rows that do not exist`,
          { hint: 'the file is unchanged; please report this with the version that wrote it' },
        );
      }
      database.pragma(`application_id = ${schema.applicationId}`);
      database.pragma(`user_version = ${current}`);
    })
    .immediate();
  database.pragma('foreign_keys = ON');
}

/** The number of steps taken, after making sure that the file is one of ours and not from the future. */
export function check(database: Database, schema: Schema): number {
  const file = printable(database.name);
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (application !== schema.applicationId && (application !== 0 || version !== 0 || tables > 0)) {
    throw new ProfGenError('store/not-ours', `${file} is an SQLite database, but not a ${schema.kind} file`, {
      hint: 'name another file; this one was left as it is',
      details: { application },
    });
  }
  const known = schema.migrations.length;
  if (version > known) {
    throw new ProfGenError(
      'store/newer-schema',
      `${file} was written by a newer version of Prof-gen: its schema is ${version}, this version knows ${known}`,
      { hint: 'use that version or a later one, or name another file', details: { version, known } },
    );
  }
  return version;
}
