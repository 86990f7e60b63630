import { measureProfile } from '@prof-gen/comparator';
import { ProfGenError } from '@prof-gen/core';
import { renderReport } from '@prof-gen/report';
import type { RunId, Store } from '@prof-gen/store';
import { defaultCapabilities } from '@prof-gen/profile';

/**
 * Renders the report of a run that is in the store.
 * @returns path of the page to open
 * @throws ProfGenError `store/unknown-run`
 */
export async function renderRun(store: Store, id: RunId, directory: string): Promise<{ index: string }> {
  const run = store.runs.get(id);
  if (run === undefined)
    throw new ProfGenError('store/unknown-run', `there is no run ${id} in ${store.file}`);
  return renderReport(
    {
      title: run.dataset,
      run: {
        dataset: run.dataset,
        toolVersion: run.toolVersion,
        analyzerVersion: run.analyzerVersion,
        ...(run.engine === undefined ? {} : { engine: run.engine }),
      },
      images: store.images.results(id).map((result) => ({
        ...result,
        measures: measureProfile(result.document, { capabilities: defaultCapabilities }),
      })),
      failures: store.images
        .list(id)
        .flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }])),
    },
    directory,
  );
}
