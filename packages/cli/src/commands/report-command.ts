import { ProfGenError, printable } from '@prof-gen/core';
import { renderRun } from '@prof-gen/runner';
import { openStore, type RunId } from '@prof-gen/store';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { positiveInteger } from './session-options.js';

const examples = `
Examples:
  prof-gen report results/evaluate/results.db --to reports/evaluate
  prof-gen report results/evaluate/results.db --run 3 --to /tmp/report
`;

/** `prof-gen report RESULTS`: renders a run that is in a database already. */
export function defineReportCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('report')
    .summary('render the report of a run')
    .description('Render a static site from kept results; it opens from a file, without a network.')
    .argument('<results>', 'database that `prof-gen run` wrote')
    .requiredOption('--to <dir>', 'directory of the report; replaced if it is a report')
    .option('--run <n>', 'number of the run (default: the latest that ended)', positiveInteger)
    .addHelpText('after', examples)
    .action(async (results: string, options: { to: string; run?: number }) => {
      const store = openStore(results, { readOnly: true });
      try {
        const run =
          options.run === undefined
            ? store.runs.list().find(({ outcome }) => outcome !== undefined)
            : store.runs.get(options.run as RunId);
        if (run === undefined) {
          throw new ProfGenError('usage/no-such-run', `${printable(results)} has no such run`, {
            hint: 'leave out --run for the latest, or finish the run with: prof-gen run DATASET --resume',
          });
        }
        const { index } = await renderRun(store, run.id, options.to);
        io.stdout.write(`${index}\n`);
        exit(exitCodes.good);
      } finally {
        store.close();
      }
    });
}
