import { join } from 'node:path';
import { ProfGenError, printable, type Reachability } from '@prof-gen/core';
import { loadDataset, type RunSummary, renderRun, runDataset } from '@prof-gen/runner';
import { openStore } from '@prof-gen/store';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { summaryTable } from '../reporters/summary-table.js';
import { type SessionOptions, withSession } from '../session.js';
import { writeWholeFile } from '../write-file.js';
import { reachabilityOption } from './image-options.js';
import { positiveInteger, sessionOptions } from './session-options.js';
import { checkTracerOptions, tracerOptions } from './tracer-options.js';

interface RunOptions extends SessionOptions {
  readonly results: string;
  readonly reports: string;
  readonly report: boolean;
  readonly resume?: boolean;
  readonly jobs: number;
  readonly learn?: boolean;
  readonly dockerDefault: boolean;
  readonly reachability: Reachability;
  readonly compare?: boolean;
}

const examples = `
Every result is kept in RESULTS/NAME/results.db as soon as it is there, and a profile an image in
RESULTS/NAME/profiles/. The report is written to REPORTS/NAME/index.html. NAME is the dataset's.

Examples:
  prof-gen run datasets/evaluate.yaml
  prof-gen run datasets/evaluate.yaml --resume --jobs 4
  prof-gen run datasets/evaluate.yaml --static --no-report
  prof-gen run datasets/applications.yaml --compare
  prof-gen run datasets/evaluate.yaml --tracer strace

Exit codes: 0 good, 1 all failed, 2 usage, 3 a proof failed, 4 some images failed, 5 environment.
`;

/** `prof-gen run DATASET`: an evaluation of many images. */
export function defineRunCommand(program: Command, io: Io, exit: (code: number) => void): void {
  tracerOptions(reachabilityOption(sessionOptions(program.command('run'))))
    .summary('profile every image of a dataset and keep the results')
    .description(
      'Profile and prove every image of a dataset, keep the results in SQLite, and render the report.',
    )
    .argument('<dataset>', 'dataset file (docs/cli.md)')
    .option('--results <dir>', 'directory for results', 'results')
    .option('--reports <dir>', 'directory for reports', 'reports')
    .option('--no-report', 'do not render a report')
    .option('--resume', 'go on with the last run of this dataset that did not end')
    .option('-j, --jobs <n>', 'images under way at once', positiveInteger, 2)
    .option('--static', 'static analysis alone: no engine and no root needed')
    .option('--learn', 'add what a proof denies, marked as learned, and prove again')
    .option('--compare', "compute other methods' profiles of the same images, too, for `prof-gen compare`")
    .option('--no-docker-default', "do not keep denied what Docker's default profile denies")
    .addHelpText('after', examples)
    .action(async (dataset: string, options: RunOptions) => {
      exit(await run(io, dataset, options));
    });
}

async function run(io: Io, file: string, options: RunOptions): Promise<number> {
  checkTracerOptions(options, options.learn ? '--learn' : undefined);
  const loaded = await loadDataset(file);
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
  const store = openStore(join(results, 'results.db'));
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
    if (options.report) {
      const { index } = await renderRun(store, summary.run, join(options.reports, name));
      io.stdout.write(`\nreport: ${index}\n`);
    }
    return exitCodeOfRun(summary);
  } finally {
    store.close();
  }
}

function exitCodeOfRun({ images }: RunSummary): number {
  const failed = images.filter(({ error }) => error !== undefined).length;
  if (failed > 0) return failed === images.length ? exitCodes.failed : exitCodes.partly;
  return images.some(({ document }) => document?.status === 'failed')
    ? exitCodes.proofFailed
    : exitCodes.good;
}
