import { ProfGenError } from '@prof-gen/core';
import {
  compareRun,
  comparisonAsCsv,
  comparisonTables,
  tablesAsLatex,
  tablesAsMarkdown,
} from '@prof-gen/runner';
import { openStore } from '@prof-gen/store';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { tablesAsText } from '../reporters/tables-as-text.js';
import { chooseRun } from './choose-run.js';
import { positiveInteger } from './session-options.js';

const formats = ['json', 'csv', 'markdown', 'latex'] as const;
type CompareOptions = { readonly run?: number } & { readonly [format in (typeof formats)[number]]?: boolean };

const examples = `
RESULTS is the database of a run with --compare. Lines: prof-gen (the profile as written), needed
(before Docker's default), confine (Confine's method on the same files and trace), docker-default,
imports, address-taken, trace. Universes: confine (its 326 calls), table (all), docker (after
Docker's default). docs/methodology.md says how each is made.

Examples:
  prof-gen run datasets/applications.yaml --compare
  prof-gen compare results/applications/results.db
  prof-gen compare results/applications/results.db --csv > lines.csv
  prof-gen compare results/applications/results.db --json | jq '.groups[0].lines'
`;

/** `prof-gen compare RESULTS`: a run's profiles beside those of other methods. */
export function defineCompareCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('compare')
    .summary("compare a run's profiles with other methods'")
    .description('Print how the profiles of a run compare with those of other methods on the same images.')
    .argument('<results>', 'database that `prof-gen run --compare` wrote')
    .option('--run <n>', 'number of the run (default: the latest that ended)', positiveInteger)
    .option('--json', 'everything, for other tools (schema runComparisonSchema)')
    .option('--csv', 'one row an image and line')
    .option('--markdown', "the tables in Markdown's form")
    .option('--latex', "the tables in LaTeX's form, for booktabs")
    .addHelpText('after', examples)
    .action(async (results: string, options: CompareOptions) => {
      const asked = formats.filter((format) => options[format] === true);
      if (asked.length > 1) {
        throw new ProfGenError('usage/options', `--${asked.join(' and --')} cannot be given together`);
      }
      const store = openStore(results, { readOnly: true });
      try {
        const comparison = await compareRun(store, chooseRun(store, options.run).id);
        const tables = comparisonTables(comparison);
        const written = {
          json: () => `${JSON.stringify(comparison, null, 2)}\n`,
          csv: () => comparisonAsCsv(comparison),
          markdown: () => tablesAsMarkdown(tables),
          latex: () => tablesAsLatex(tables),
          text: () => tablesAsText(tables),
        };
        io.stdout.write(written[asked[0] ?? 'text']());
        exit(exitCodes.good);
      } finally {
        store.close();
      }
    });
}
