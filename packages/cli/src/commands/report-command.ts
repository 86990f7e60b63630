import { renderRun } from '@prof-gen/runner';
import { openStore } from '@prof-gen/store';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { claimCommands } from './evaluate-dataset.js';
import { chooseRun } from './choose-run.js';
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
        const commands = claimCommands('DATASET', results);
        const { index } = await renderRun(store, chooseRun(store, options.run).id, options.to, commands);
        io.stdout.write(`${index}\n`);
        exit(exitCodes.good);
      } finally {
        store.close();
      }
    });
}
