export { checkStore, type StoreProblem } from './check-store.js';
export { type ColumnValue, type ExportedTable, withTables } from './with-tables.js';
export type { Json } from './canonical-json.js';
export type {
  ImageRecord,
  ImageRepository,
  ImageState,
  PlannedImage,
} from './image-repository.js';
export type { ImageResult } from './image-result.js';
export { type MergedRun, mergeStores } from './merge-stores.js';
export { openStore, type Store, type StoreOptions } from './open-store.js';
export { openSummaryStore, type SummaryStore } from './open-summary-store.js';
export type { NewRun, RunId, RunIdentity, RunOutcome, RunRecord, RunRepository } from './run-repository.js';
