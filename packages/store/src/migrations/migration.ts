/**
 * One step of a schema. Steps are numbered from 1 in the order of their list; what has been released is never
 * edited, only followed by another step.
 */
export interface Migration {
  /** What it is for, in a few words. */
  readonly title: string;
  readonly sql: string;
}

/** A kind of database file: what it is told by, and how it came to its present form. */
export interface Schema {
  /** For messages, such as `results`. */
  readonly kind: string;
  /** `PRAGMA application_id`, so that another program's database is never taken for ours. */
  readonly applicationId: number;
  /** The oldest form that can be read as it is; the present one unless said. */
  readonly readableFrom?: number;
  readonly migrations: readonly Migration[];
}
