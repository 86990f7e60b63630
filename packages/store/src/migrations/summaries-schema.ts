import type { Schema } from './migration.js';

/**
 * Summaries of ELF files: a cache, that may be deleted at any time. A summary knows no path, only content, so
 * one row serves every image. Names, needed to explain only, stand apart and are not read with it.
 */
export const summariesSchema: Schema = {
  kind: 'summary cache',
  applicationId: 0x50475331, // "PGS1"
  migrations: [
    {
      title: 'summaries and names',
      sql: `
CREATE TABLE summaries (
  id               INTEGER PRIMARY KEY,
  sha256           TEXT NOT NULL,
  analyzer_version TEXT NOT NULL,
  summary          BLOB NOT NULL,
  bytes            INTEGER NOT NULL,
  used_at          INTEGER NOT NULL,
  UNIQUE (sha256, analyzer_version)
) STRICT;
CREATE INDEX summaries_used ON summaries (used_at);

CREATE TABLE names (
  summary_id INTEGER PRIMARY KEY REFERENCES summaries ON DELETE CASCADE,
  names      BLOB NOT NULL
) STRICT;
`,
    },
    {
      title: 'facts for the lines that profiles are compared with',
      sql: `
CREATE TABLE line_facts (
  sha256  TEXT NOT NULL,
  version TEXT NOT NULL,
  facts   TEXT NOT NULL CHECK (json_valid(facts)),
  PRIMARY KEY (sha256, version)
) STRICT, WITHOUT ROWID;
`,
    },
  ],
};
