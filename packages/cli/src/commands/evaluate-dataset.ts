import { join } from 'node:path';
import { ProfGenError, printable, type Reachability } from '@prof-gen/core';
import { type ClaimCommands, loadDataset, type RunSummary, renderRun, runDataset } from '@prof-gen/runner';
import { openStore } from '@prof-gen/store';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { summaryTable } from '../reporters/summary-table.js';
import { withSession } from '../session.js';
import { writeWholeFile } from '../write-file.js';
import type { DatasetOptions } from './session-options.js';
import { checkTracerOptions } from './tracer-options.js';

export interface EvaluateOptions extends DatasetOptions {
  readonly report: boolean;
  readonly learn?: boolean;
  readonly dockerDefault: boolean;
  readonly reachability: Reachability;
  readonly compare?: boolean;
}

export interface Evaluated {
  /** Exit code of the run (docs/cli.md). */
  readonly code: number;
  /** Directory of the report, and what was rendered; absent where none was asked for. */
  readonly report?: { readonly directory: string } & Awaited<ReturnType<typeof renderRun>>;
}

/**
 * Runs a dataset, keeps results and profiles, prints the closing table, and renders the report.
 * @throws ProfGenError `usage/bad-dataset`
 */
export async function evaluateDataset(io: Io, file: string, options: EvaluateOptions): Promise<Evaluated> {
  checkTracerOptions(options, options.learn ? '--learn' : undefined);
  const loaded = await loadDataset(file, options.only);
  const tests = loaded.images.filter(({ test }) => test !== undefined).length;
  if (options.tracer === 'strace' && tests > 0) {
    io.stderr.write(
      `warning: the tests of ${tests} images are left out: strace cannot prove, and their profiles stay observed\n`,
    );
  }
  const { name } = loaded.dataset;
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw new ProfGenError(
      'usage/bad-dataset',
      `the dataset's name "${printable(name)}" cannot name a directory`,
    );
  }
  const results = join(options.results, name);
  const database = join(results, 'results.db');
  const store = openStore(database);
  try {
    const summary = await withSession(io, options, (workbench, onEvent) =>
      runDataset(
        {
          loaded,
          store,
          resume: options.resume === true,
          jobs: options.jobs,
          learn: options.learn === true,
          intersectDockerDefault: options.dockerDefault,
          reachability: options.reachability,
          compare: options.compare === true,
        },
        workbench,
        onEvent,
      ),
    );
    for (const result of store.images.results(summary.run)) {
      await writeWholeFile(join(results, 'profiles', `${result.name}.json`), result.dockerProfile);
    }
    io.stdout.write(
      summaryTable(
        summary.images.map(({ error, ...row }) =>
          error === undefined ? row : { ...row, failed: error.code },
        ),
      ),
    );
    const code = exitCodeOfRun(summary);
    if (!options.report) return { code };
    const directory = join(options.reports, name);
    const report = await renderRun(store, summary.run, directory, claimCommands(file, database));
    io.stdout.write(`\nreport: ${report.index}\n`);
    return { code, report: { directory, ...report } };
  } finally {
    store.close();
  }
}

/** What people type to get a run's figures again. */
export function claimCommands(dataset: string, database: string): ClaimCommands {
  return {
    all: `prof-gen reproduce ${dataset}`,
    run: `prof-gen run ${dataset} --compare`,
    compare: `prof-gen compare ${database}`,
  };
}

function exitCodeOfRun({ images }: RunSummary): number {
  const failed = images.filter(({ error }) => error !== undefined).length;
  if (failed > 0) return failed === images.length ? exitCodes.failed : exitCodes.partly;
  return images.some(({ document }) => document?.status === 'failed')
    ? exitCodes.proofFailed
    : exitCodes.good;
}
