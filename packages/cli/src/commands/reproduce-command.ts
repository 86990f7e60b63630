import { join } from 'node:path';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { claimsText } from '../reporters/claims-text.js';
import { evaluateDataset } from './evaluate-dataset.js';
import { type DatasetOptions, datasetOptions, sessionOptions } from './session-options.js';

const defaultDataset = 'datasets/corpus.yaml';

const examples = `
Runs the dataset with --compare, compares, renders REPORTS/NAME/index.html with claims.json beside it, and
prints each claim of the paper with its figure, ours, and the command behind it. A dataset's images must
be there: ./scripts/evaluate corpus builds those of ${defaultDataset}.

Examples:
  prof-gen reproduce
  prof-gen reproduce datasets/evaluate.yaml --jobs 4
  prof-gen reproduce datasets/evaluate.yaml --resume

Exit codes: 0 good, whatever the figures are, 1 all failed, 2 usage, 3 a proof failed, 4 some images failed,
5 environment.
`;

/** `prof-gen reproduce [DATASET]`: the figures of the paper's claims, by one command. */
export function defineReproduceCommand(program: Command, io: Io, exit: (code: number) => void): void {
  datasetOptions(sessionOptions(program.command('reproduce')))
    .summary("get the figures of the paper's claims: run, compare, report")
    .description(
      "Profile, prove and compare every image of a dataset, and print the paper's claims beside the figures.",
    )
    .argument('[dataset]', 'dataset file (docs/cli.md)', defaultDataset)
    .addHelpText('after', examples)
    .action(async (dataset: string, options: DatasetOptions) => {
      const { code, report } = await evaluateDataset(io, dataset, {
        ...options,
        report: true,
        compare: true,
        dockerDefault: true,
        reachability: 'objects',
      });
      if (report !== undefined) {
        io.stdout.write(`claims: ${join(report.directory, 'claims.json')}\n\n${claimsText(report.claims)}`);
      }
      exit(code);
    });
}
