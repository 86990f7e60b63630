import { type MeasureFacts, measureProfile } from '@prof-gen/comparator';
import { ProfGenError } from '@prof-gen/core';
import { defaultCapabilities } from '@prof-gen/profile';
import { renderReport } from '@prof-gen/report';
import type { RunId, Store } from '@prof-gen/store';
import { loadLineDatasets } from './line-datasets.js';

/**
 * Renders the report of a run that is in the store.
 * @returns path of the page to open
 * @throws ProfGenError `store/unknown-run`
 */
export async function renderRun(store: Store, id: RunId, directory: string): Promise<{ index: string }> {
  const run = store.runs.get(id);
  if (run === undefined)
    throw new ProfGenError('store/unknown-run', `there is no run ${id} in ${store.file}`);
  const facts = await measureFacts(run.engine?.kernel);
  const planned = store.images.list(id);
  const labels = new Map(planned.map(({ name, official, category }) => [name, { official, category }]));
  return renderReport(
    {
      title: run.dataset,
      run: {
        dataset: run.dataset,
        toolVersion: run.toolVersion,
        analyzerVersion: run.analyzerVersion,
        ...(run.engine === undefined ? {} : { engine: run.engine }),
      },
      images: store.images.results(id).map((result) => {
        const { official, category } = labels.get(result.name) ?? {};
        const repository = official?.split(':')[0];
        return {
          ...result,
          ...(official === undefined ? {} : { official }),
          ...(category === undefined ? {} : { category }),
          measures: measureProfile(result.document.syscalls, { ...facts, official: repository }),
        };
      }),
      failures: planned.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }])),
    },
    directory,
  );
}

/** What profiles of a run are measured by. */
export async function measureFacts(kernel: string | undefined): Promise<MeasureFacts> {
  return {
    ...(await loadLineDatasets()),
    container: { capabilities: defaultCapabilities, ...(kernel === undefined ? {} : { kernel }) },
  };
}
