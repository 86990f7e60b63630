import { type LineFacts, lineFactsSchema } from '@prof-gen/core';
import { canonicalJson } from './canonical-json.js';
import { summariesSchema } from './migrations/summaries-schema.js';
import { openDatabase } from './open-database.js';
import { inStore } from './store-error.js';

/** Summaries of ELF files by content and version of the analyser. Several processes may use one file. */
export interface SummaryStore {
  readonly file: string;
  /** @param sha256 hexadecimal, of the ELF file's bytes */
  get(sha256: string, analyzerVersion: string): Uint8Array | undefined;
  /**
   * Keeps a summary; one that is there already stays, since equal keys mean equal summaries.
   * @throws ProfGenError `environment/disk-full`, `store/locked` (after waiting 10 s)
   */
  put(sha256: string, analyzerVersion: string, summary: Uint8Array, names: Uint8Array): void;
  /** The part needed to explain, kept apart from what linking reads. */
  names(sha256: string, analyzerVersion: string): Uint8Array | undefined;
  /** @param version of the facts, which is not that of the analyser */
  lineFacts(sha256: string, version: string): LineFacts | undefined;
  putLineFacts(sha256: string, version: string, facts: LineFacts): void;
  /**
   * Removes the least recently used until at most `maxBytes` of summaries and names are left, and what is kept of files
   * without a summary.
   * @returns how many were removed
   */
  prune(maxBytes: number): number;
  /** Rows, and bytes of summaries with their names. */
  size(): { readonly summaries: number; readonly bytes: number };
  close(): void;
}

const millisecondsPerDay = 86_400_000;

/**
 * Opens or creates a summary cache, such as `~/.cache/prof-gen/summaries.db`. It is a cache: deleting the file
 * costs time and nothing else.
 * @throws ProfGenError `store/newer-schema`, `store/not-ours`, `store/corrupt`, `store/not-a-database`,
 *   `store/cannot-open`, `environment/disk-full`
 */
export function openSummaryStore(file: string): SummaryStore {
  const database = openDatabase(file, summariesSchema, { durability: 'normal' });
  const byKey = 'FROM summaries WHERE sha256 = ? AND analyzer_version = ?';
  const get = database.prepare<[string, string], { id: number; summary: Uint8Array; used_at: number }>(
    `SELECT id, summary, used_at ${byKey}`,
  );
  const names = database
    .prepare<[string, string], Uint8Array>(`SELECT names FROM names WHERE summary_id = (SELECT id ${byKey})`)
    .pluck();
  const insert = database
    .prepare<[string, string, Uint8Array, number, number], number>(
      `INSERT INTO summaries (sha256, analyzer_version, summary, bytes, used_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING RETURNING id`,
    )
    .pluck();
  const insertNames = database.prepare('INSERT INTO names (summary_id, names) VALUES (?, ?)');
  const touch = database.prepare('UPDATE summaries SET used_at = ? WHERE id = ?');
  const size = database.prepare<[], { summaries: number; bytes: number }>(
    'SELECT count(*) AS summaries, coalesce(sum(bytes), 0) AS bytes FROM summaries',
  );
  const removeOldest = database.prepare(
    `DELETE FROM summaries WHERE id IN (
       SELECT id FROM (SELECT id, sum(bytes) OVER (ORDER BY used_at DESC, id DESC) AS total FROM summaries)
       WHERE total > ?)`,
  );

  const facts = database
    .prepare<[string, string], string>('SELECT facts FROM line_facts WHERE sha256 = ? AND version = ?')
    .pluck();
  const insertFacts = database.prepare('INSERT INTO line_facts VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const removeFacts = database.prepare(
    'DELETE FROM line_facts WHERE sha256 NOT IN (SELECT sha256 FROM summaries)',
  );

  // Uses are noted by the day and written together, so that reading does not become writing.
  const today = () => Math.floor(Date.now() / millisecondsPerDay);
  const used = new Set<number>();
  const noteUses = database.transaction(() => {
    for (const id of used) touch.run(today(), id);
    used.clear();
  });

  const put = database.transaction(
    (sha256: string, version: string, summary: Uint8Array, own: Uint8Array) => {
      const id = insert.get(sha256, version, summary, summary.byteLength + own.byteLength, today());
      if (id !== undefined) insertNames.run(id, own);
    },
  );

  return {
    file,
    get: (sha256, version) =>
      inStore(file, () => {
        const row = get.get(sha256, version);
        if (row !== undefined && row.used_at !== today()) used.add(row.id);
        return row?.summary;
      }),
    put: (sha256, version, summary, own) => inStore(file, () => put.immediate(sha256, version, summary, own)),
    names: (sha256, version) => inStore(file, () => names.get(sha256, version)),
    lineFacts: (sha256, version) =>
      inStore(file, () => {
        const text = facts.get(sha256, version);
        // A cache: what cannot be read is made anew.
        return text === undefined ? undefined : lineFactsSchema.safeParse(JSON.parse(text)).data;
      }),
    putLineFacts: (sha256, version, value) =>
      inStore(file, () => insertFacts.run(sha256, version, canonicalJson(value))),
    prune: (maxBytes) =>
      inStore(file, () => {
        noteUses.immediate();
        const { changes } = removeOldest.run(maxBytes);
        removeFacts.run();
        return changes;
      }),
    size: () => inStore(file, () => size.get() ?? { summaries: 0, bytes: 0 }),
    close() {
      try {
        inStore(file, () => noteUses.immediate());
      } finally {
        database.close();
      }
    },
  };
}
