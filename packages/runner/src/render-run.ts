import { readFile } from 'node:fs/promises';
import { type MeasureFacts, measureProfile } from '@prof-gen/comparator';
import {
  confinePublishedSchema,
  cveDatasetSchema,
  ProfGenError,
  syscallFactsSchema,
  validated,
} from '@prof-gen/core';
import { defaultCapabilities } from '@prof-gen/profile';
import { renderReport } from '@prof-gen/report';
import type { RunId, Store } from '@prof-gen/store';

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

/** The workspace's datasets that profiles are measured by. */
async function measureFacts(kernel: string | undefined): Promise<MeasureFacts> {
  const read = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(new URL(`../../../datasets/${path}`, import.meta.url), 'utf8')) as unknown;
  const [cves, confine, syscalls] = await Promise.all([
    read('cve/cves.json'),
    read('confine-published/published.json'),
    read('syscalls/syscalls.json'),
  ]);
  const code = 'internal/bad-dataset';
  return {
    container: { capabilities: defaultCapabilities, ...(kernel === undefined ? {} : { kernel }) },
    cves: validated(cveDatasetSchema, cves, 'datasets/cve/cves.json', code),
    confine: validated(confinePublishedSchema, confine, 'datasets/confine-published/published.json', code),
    syscalls: validated(syscallFactsSchema, syscalls, 'datasets/syscalls/syscalls.json', code),
  };
}
