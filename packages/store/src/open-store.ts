import { type ImageRepository, imageRepository } from './image-repository.js';
import { resultsSchema } from './migrations/results-schema.js';
import { openDatabase } from './open-database.js';
import { type RunRepository, runRepository } from './run-repository.js';
import { lockForWriting } from './writer-lock.js';

/** One file of results. */
export interface Store {
  readonly file: string;
  readonly runs: RunRepository;
  readonly images: ImageRepository;
  close(): void;
}

export interface StoreOptions {
  /** Opens an existing file without the writer's lock, beside a run that is writing to it. */
  readonly readOnly?: boolean;
}

/**
 * Opens or creates a file of results; directories are made and older schemas are brought up to date.
 *
 * One process writes a file at a time: a second one is refused at once, since it would wait for hours.
 * Readers are never held up (WAL). What a call has written when it returns survives a killed process and a
 * power cut. A killed run leaves a consistent file: see `RunRepository.unfinished`.
 * @throws ProfGenError `store/locked`, `store/newer-schema`, `store/older-schema` (read-only), `store/not-ours`,
 *   `store/not-a-database`, `store/corrupt`, `store/cannot-open`, `store/read-only`, `environment/disk-full`;
 *   every method may throw the last two as well, and `store/inconsistent` for a document that contradicts itself
 */
export function openStore(file: string, options: StoreOptions = {}): Store {
  const readOnly = options.readOnly ?? false;
  // The lock comes first: a migration is writing, too.
  const lock = readOnly ? undefined : lockForWriting(file);
  try {
    const database = openDatabase(file, resultsSchema, { durability: 'full', readOnly });
    return {
      file,
      runs: runRepository(database),
      images: imageRepository(database),
      close() {
        database.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}
