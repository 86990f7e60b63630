import type { Command } from 'commander';
import type { Io } from '../io.js';
import { type EvaluateOptions, evaluateDataset } from './evaluate-dataset.js';
import { reachabilityOption } from './image-options.js';
import { datasetOptions, sessionOptions } from './session-options.js';
import { tracerOptions } from './tracer-options.js';

const examples = `
Every result is kept in RESULTS/NAME/results.db as soon as it is there, and a profile an image in
RESULTS/NAME/profiles/. The report is written to REPORTS/NAME/index.html. NAME is the dataset's.

Examples:
  prof-gen run datasets/evaluate.yaml
  prof-gen run datasets/evaluate.yaml --resume --jobs 4
  prof-gen run datasets/evaluate.yaml --static --no-report
  prof-gen run datasets/applications.yaml --only redis nginx
  prof-gen run datasets/applications.yaml --compare
  prof-gen run datasets/evaluate.yaml --tracer strace

Exit codes: 0 good, 1 all failed, 2 usage, 3 a proof failed, 4 some images failed, 5 environment.
`;

/** `prof-gen run DATASET`: an evaluation of many images. */
export function defineRunCommand(program: Command, io: Io, exit: (code: number) => void): void {
  tracerOptions(reachabilityOption(datasetOptions(sessionOptions(program.command('run')))))
    .summary('profile every image of a dataset and keep the results')
    .description(
      'Profile and prove every image of a dataset, keep the results in SQLite, and render the report.',
    )
    .argument('<dataset>', 'dataset file (docs/cli.md)')
    .option('--no-report', 'do not render a report')
    .option('--static', 'static analysis alone: no engine and no root needed')
    .option('--learn', 'add what a proof denies, marked as learned, and prove again')
    .option('--compare', "compute other methods' profiles of the same images, too, for `prof-gen compare`")
    .option('--no-docker-default', "do not keep denied what Docker's default profile denies")
    .addHelpText('after', examples)
    .action(async (dataset: string, options: EvaluateOptions) => {
      exit((await evaluateDataset(io, dataset, options)).code);
    });
}
