import { type CompareRunInput, compareRun as measured } from '@prof-gen/comparator';
import { ProfGenError, type RunComparison } from '@prof-gen/core';
import { defaultCapabilities } from '@prof-gen/profile';
import type { RunId, RunRecord, Store } from '@prof-gen/store';
import { loadLineDatasets } from './line-datasets.js';

/**
 * All lines of a run that is in the store, measured.
 * @throws ProfGenError `store/unknown-run`; `usage/no-comparison` when no image of it was compared
 */
export async function compareRun(store: Store, id: RunId): Promise<RunComparison> {
  const run = storedRun(store, id);
  const comparison = comparisonOf(store, run, await measureFacts(run.engine?.kernel));
  if (comparison !== undefined) return comparison;
  throw new ProfGenError('usage/no-comparison', `no image of run ${id} was compared`, {
    hint: 'run the dataset with: prof-gen run DATASET --compare',
  });
}

/** The same, or undefined when no image of it was compared. */
export function comparisonOf(
  store: Store,
  { id, dataset, toolVersion, analyzerVersion }: RunRecord,
  facts: CompareRunInput['facts'],
): RunComparison | undefined {
  const results = new Map(store.images.results(id).map((result) => [result.name, result]));
  const without: { name: string; reason: string }[] = [];
  const images = store.images.list(id).flatMap(({ name, official, category, state, error }) => {
    const comparison = results.get(name)?.comparison;
    if (comparison !== undefined) return [{ name, official, category, comparison }];
    without.push({ name, reason: error?.code ?? (state === 'done' ? 'not compared' : state) });
    return [];
  });
  if (images.length === 0) return undefined;
  return measured({ run: { dataset, toolVersion, analyzerVersion, without }, images, facts });
}

/** @throws ProfGenError `store/unknown-run` */
export function storedRun(store: Store, id: RunId): RunRecord {
  const run = store.runs.get(id);
  if (run !== undefined) return run;
  throw new ProfGenError('store/unknown-run', `there is no run ${id} in ${store.file}`);
}

/** What profiles of a run are measured by. */
export async function measureFacts(kernel: string | undefined): Promise<CompareRunInput['facts']> {
  return {
    ...(await loadLineDatasets()),
    container: { capabilities: defaultCapabilities, ...(kernel === undefined ? {} : { kernel }) },
  };
}
