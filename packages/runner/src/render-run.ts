import { type ClaimCommands, claimsOf, measureProfile } from '@prof-gen/comparator';
import type { Claims } from '@prof-gen/core';
import { renderReport } from '@prof-gen/report';
import type { RunId, Store } from '@prof-gen/store';
import { comparisonOf, measureFacts, storedRun } from './compare-run.js';

export interface RenderedRun {
  /** Path of the page to open. */
  readonly index: string;
  readonly claims: Claims;
}

/**
 * Renders the report of a run that is in the store.
 * @param commands command lines that give its figures
 * @throws ProfGenError `store/unknown-run`
 */
export async function renderRun(
  store: Store,
  id: RunId,
  directory: string,
  commands: ClaimCommands,
): Promise<RenderedRun> {
  const run = storedRun(store, id);
  const { dataset, toolVersion, analyzerVersion, engine } = run;
  const facts = await measureFacts(engine?.kernel);
  const planned = store.images.list(id);
  const results = store.images.results(id);
  const labels = new Map(planned.map(({ name, official, category }) => [name, { official, category }]));
  const comparison = comparisonOf(store, run, facts);
  const claims = claimsOf({
    run: { dataset, toolVersion, analyzerVersion },
    planned: planned.length,
    images: results,
    comparison,
    facts,
    commands,
  });
  const { index } = await renderReport(
    {
      title: dataset,
      run: { dataset, toolVersion, analyzerVersion, ...(engine === undefined ? {} : { engine }) },
      claims,
      ...(comparison === undefined ? {} : { comparison }),
      dangerous: facts.syscalls.dangerous,
      images: results.map(({ name, document, dockerProfile, timings, comparison: own }) => {
        const { official, category } = labels.get(name) ?? {};
        return {
          name,
          document,
          dockerProfile,
          timings,
          ...(official === undefined ? {} : { official }),
          ...(category === undefined ? {} : { category }),
          ...(own === undefined ? {} : { comparison: own }),
          measures: measureProfile(document.syscalls, { ...facts, official: official?.split(':')[0] }),
        };
      }),
      failures: planned.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }])),
    },
    directory,
  );
  return { index, claims };
}
