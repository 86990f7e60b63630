import { ProfGenError, printable } from '@prof-gen/core';
import type { RunId, RunRecord, Store } from '@prof-gen/store';

/**
 * The run that is asked for: by number, or the latest that ended.
 * @throws ProfGenError `usage/no-such-run`
 */
export function chooseRun(store: Store, number: number | undefined): RunRecord {
  const run =
    number === undefined
      ? store.runs.list().find(({ outcome }) => outcome !== undefined)
      : store.runs.get(number as RunId);
  if (run !== undefined) return run;
  throw new ProfGenError('usage/no-such-run', `${printable(store.file)} has no such run`, {
    hint: 'leave out --run for the latest, or finish the run with: prof-gen run DATASET --resume',
  });
}
