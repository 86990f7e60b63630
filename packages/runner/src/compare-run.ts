import { compareRun as measured } from '@prof-gen/comparator';
import { ProfGenError, type RunComparison } from '@prof-gen/core';
import type { RunId, Store } from '@prof-gen/store';
import { measureFacts } from './render-run.js';

/**
 * All lines of a run that is in the store, measured.
 * @throws ProfGenError `store/unknown-run`; `usage/no-comparison` when no image of it was compared
 */
export async function compareRun(store: Store, id: RunId): Promise<RunComparison> {
  const run = store.runs.get(id);
  if (run === undefined)
    throw new ProfGenError('store/unknown-run', `there is no run ${id} in ${store.file}`);
  const results = new Map(store.images.results(id).map((result) => [result.name, result]));
  const without: { name: string; reason: string }[] = [];
  const images = store.images.list(id).flatMap(({ name, official, category, state, error }) => {
    const comparison = results.get(name)?.comparison;
    if (comparison !== undefined) return [{ name, official, category, comparison }];
    without.push({ name, reason: error?.code ?? (state === 'done' ? 'not compared' : state) });
    return [];
  });
  if (images.length === 0) {
    throw new ProfGenError('usage/no-comparison', `no image of run ${id} was compared`, {
      hint: 'run the dataset with: prof-gen run DATASET --compare',
    });
  }
  const { dataset, toolVersion, analyzerVersion } = run;
  return measured({
    run: { dataset, toolVersion, analyzerVersion, without },
    images,
    facts: await measureFacts(run.engine?.kernel),
  });
}
