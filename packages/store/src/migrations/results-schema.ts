import type { Schema } from './migration.js';

/**
 * The results of runs. docs/database.md explains the tables to those who query them.
 *
 * What an image yields is kept twice: as the document, byte for byte, and spread over tables. The tables are
 * keyed by image and position, never by a counter, so the order in which images finish leaves no trace.
 * Times of day and durations stand in the bookkeeping of `runs`, `images` and `timings` alone.
 */
export const resultsSchema: Schema = {
  kind: 'results',
  applicationId: 0x50474e31, // "PGN1"
  // Later steps only add tables, and readers do without them.
  readableFrom: 1,
  migrations: [
    {
      title: 'runs, images and all that is known of an image',
      sql: `
CREATE TABLE runs (
  id               INTEGER PRIMARY KEY,
  dataset          TEXT NOT NULL,
  dataset_hash     TEXT NOT NULL,
  tool_version     TEXT NOT NULL,
  analyzer_version TEXT NOT NULL,
  options          TEXT NOT NULL CHECK (json_valid(options)),
  engine           TEXT CHECK (json_valid(engine)),
  kernel           TEXT NOT NULL,
  outcome          TEXT CHECK (outcome IN ('done', 'partly', 'failed')),
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER,
  CHECK ((outcome IS NULL) = (finished_at IS NULL))
) STRICT;
CREATE INDEX runs_identity ON runs (dataset_hash, tool_version, analyzer_version, options);

CREATE TABLE images (
  id          INTEGER PRIMARY KEY,
  run_id      INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  name        TEXT NOT NULL,
  official    TEXT,
  category    TEXT,
  state       TEXT NOT NULL CHECK (state IN ('pending', 'started', 'done', 'failed')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  reference   TEXT,
  digest      TEXT,
  platform    TEXT,
  command     TEXT CHECK (json_valid(command)),
  error       TEXT CHECK (json_valid(error)),
  error_code  TEXT GENERATED ALWAYS AS (error ->> '$.code') VIRTUAL,
  started_at  INTEGER,
  finished_at INTEGER,
  UNIQUE (run_id, name),
  UNIQUE (run_id, position),
  CHECK ((state = 'done') = (digest IS NOT NULL)),
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX images_digest ON images (digest);

CREATE TABLE timings (
  image_id     INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
  phase        TEXT NOT NULL,
  milliseconds REAL NOT NULL,
  PRIMARY KEY (image_id, phase)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
  image_id       INTEGER PRIMARY KEY REFERENCES images ON DELETE CASCADE,
  status         TEXT NOT NULL CHECK (status IN ('static', 'incomplete', 'observed', 'proven', 'failed')),
  programs       INTEGER NOT NULL,
  files          INTEGER NOT NULL,
  static         INTEGER NOT NULL,
  traced         INTEGER NOT NULL,
  allowed        INTEGER NOT NULL,
  docker_default INTEGER NOT NULL,
  denied         INTEGER NOT NULL,
  table_size     INTEGER NOT NULL,
  docker         TEXT NOT NULL,
  document       TEXT NOT NULL CHECK (json_valid(document))
) STRICT;

CREATE TABLE files (
  sha256 TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE programs (
  image_id    INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  path        TEXT NOT NULL,
  sha256      TEXT NOT NULL REFERENCES files,
  origin_kind TEXT GENERATED ALWAYS AS (origin ->> '$.kind') VIRTUAL,
  origin      TEXT NOT NULL CHECK (json_valid(origin)),
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX programs_sha256 ON programs (sha256);

CREATE TABLE objects (
  image_id INTEGER NOT NULL,
  program  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  path     TEXT NOT NULL,
  sha256   TEXT NOT NULL REFERENCES files,
  role     TEXT NOT NULL,
  reason   TEXT,
  PRIMARY KEY (image_id, program, position),
  FOREIGN KEY (image_id, program) REFERENCES programs ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_sha256 ON objects (sha256);

CREATE TABLE program_syscalls (
  image_id INTEGER NOT NULL,
  program  INTEGER NOT NULL,
  syscall  TEXT NOT NULL,
  static   INTEGER NOT NULL CHECK (static IN (0, 1)),
  traced   INTEGER NOT NULL CHECK (traced IN (0, 1)),
  PRIMARY KEY (image_id, program, syscall),
  FOREIGN KEY (image_id, program) REFERENCES programs ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE syscalls (
  image_id   INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  name       TEXT NOT NULL,
  allowed    INTEGER NOT NULL CHECK (allowed IN (0, 1)),
  conditions TEXT CHECK (json_valid(conditions)),
  errno      TEXT,
  reason     TEXT,
  PRIMARY KEY (image_id, name),
  CHECK ((allowed = 1) = (errno IS NULL)),
  CHECK ((allowed = 1) = (reason IS NULL)),
  CHECK (allowed = 1 OR conditions IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX syscalls_name ON syscalls (name, allowed);

CREATE TABLE evidence (
  image_id INTEGER NOT NULL,
  syscall  TEXT NOT NULL,
  position INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  program  TEXT,
  object   TEXT,
  function TEXT,
  site     TEXT,
  process  TEXT,
  phase    TEXT,
  method   TEXT,
  detail   TEXT,
  PRIMARY KEY (image_id, syscall, position),
  FOREIGN KEY (image_id, syscall) REFERENCES syscalls ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE unresolved (
  image_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  position INTEGER NOT NULL,
  program  TEXT NOT NULL,
  object   TEXT NOT NULL,
  function TEXT NOT NULL,
  site     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE undecided (
  image_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  file     TEXT NOT NULL,
  line     INTEGER,
  what     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE misses (
  image_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  position INTEGER NOT NULL,
  syscall  TEXT NOT NULL,
  program  TEXT NOT NULL,
  process  TEXT NOT NULL,
  phase    TEXT NOT NULL,
  PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE observations (
  image_id INTEGER PRIMARY KEY REFERENCES profiles ON DELETE CASCADE,
  method   TEXT NOT NULL,
  engine   TEXT NOT NULL CHECK (json_valid(engine)),
  io_uring INTEGER NOT NULL CHECK (io_uring IN (0, 1))
) STRICT;

CREATE TABLE proofs (
  image_id INTEGER PRIMARY KEY REFERENCES profiles ON DELETE CASCADE,
  status   TEXT NOT NULL CHECK (status IN ('passed', 'failed')),
  workload TEXT NOT NULL
) STRICT;

CREATE TABLE steps (
  image_id       INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  during         TEXT NOT NULL CHECK (during IN ('observation', 'proof')),
  phase_position INTEGER NOT NULL,
  position       INTEGER NOT NULL,
  phase          TEXT NOT NULL,
  name           TEXT NOT NULL,
  passed         INTEGER NOT NULL CHECK (passed IN (0, 1)),
  detail         TEXT NOT NULL,
  PRIMARY KEY (image_id, during, phase_position, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE denials (
  image_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
  during   TEXT NOT NULL CHECK (during IN ('observation', 'proof')),
  position INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  syscall  TEXT NOT NULL,
  program  TEXT NOT NULL,
  process  TEXT NOT NULL,
  phase    TEXT NOT NULL,
  errno    TEXT NOT NULL,
  count    INTEGER NOT NULL,
  expected INTEGER NOT NULL CHECK (expected IN (0, 1)),
  PRIMARY KEY (image_id, during, position)
) STRICT, WITHOUT ROWID;

CREATE VIEW overview AS
SELECT images.run_id, images.id AS image_id, images.name, images.state, profiles.status,
       profiles.programs, profiles.files, profiles.static, profiles.traced, profiles.allowed,
       profiles.docker_default, proofs.status AS proof,
       (SELECT count(*) FROM misses WHERE misses.image_id = images.id) AS misses,
       (SELECT count(*) FROM denials WHERE denials.image_id = images.id AND during = 'proof' AND NOT expected) AS denials,
       (SELECT sum(milliseconds) / 1000 FROM timings WHERE timings.image_id = images.id) AS seconds,
       images.error_code
FROM images
LEFT JOIN profiles ON profiles.image_id = images.id
LEFT JOIN proofs ON proofs.image_id = images.id;
`,
    },
    {
      title: 'profiles of other methods, to compare with',
      sql: `
CREATE TABLE comparisons (
  image_id INTEGER PRIMARY KEY REFERENCES profiles ON DELETE CASCADE,
  language TEXT NOT NULL,
  libc     TEXT NOT NULL CHECK (libc IN ('glibc', 'musl', 'none')),
  document TEXT NOT NULL CHECK (json_valid(document))
) STRICT;

CREATE TABLE lines (
  image_id INTEGER NOT NULL REFERENCES comparisons ON DELETE CASCADE,
  line     TEXT NOT NULL,
  position INTEGER NOT NULL,
  allowed  INTEGER NOT NULL,
  PRIMARY KEY (image_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE line_syscalls (
  image_id    INTEGER NOT NULL,
  line        TEXT NOT NULL,
  syscall     TEXT NOT NULL,
  conditional INTEGER NOT NULL CHECK (conditional IN (0, 1)),
  PRIMARY KEY (image_id, line, syscall),
  FOREIGN KEY (image_id, line) REFERENCES lines ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE seen_syscalls (
  image_id INTEGER NOT NULL REFERENCES comparisons ON DELETE CASCADE,
  during   TEXT NOT NULL CHECK (during IN ('observation', 'proof')),
  syscall  TEXT NOT NULL,
  program  TEXT NOT NULL,
  phase    TEXT NOT NULL,
  PRIMARY KEY (image_id, during, syscall, program)
) STRICT, WITHOUT ROWID;

CREATE VIEW line_misses AS
SELECT image_id, line, during, syscall, program, phase
FROM lines JOIN seen_syscalls USING (image_id)
WHERE NOT EXISTS (
  SELECT 1 FROM line_syscalls
  WHERE line_syscalls.image_id = seen_syscalls.image_id AND line_syscalls.line = lines.line
    AND line_syscalls.syscall = seen_syscalls.syscall
);
`,
    },
  ],
};
