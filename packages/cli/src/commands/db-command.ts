import { join } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';
import { checkStore, mergeStores, withTables } from '@prof-gen/store';
import { type Command, Option } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { textTable } from '../reporters/text-table.js';
import { type ExportFormat, exportFormats, tableAs } from '../table-formats.js';
import { writeWholeFile } from '../write-file.js';

const checkExamples = `
Exit status: 0 when every file is as it should be, 1 otherwise.

Examples:
  prof-gen db check results/corpus/results.db
`;

const mergeExamples = `
Runs of the same dataset, tool, analyser and options become one. An image that several files have is
taken once: a finished one before a failed one. The order of the files does not matter.

Examples:
  prof-gen db merge shard-1.db shard-2.db --to all.db
  prof-gen report all.db --to reports/all
`;

const exportExamples = `
docs/database.md explains the tables and views.

Examples:
  prof-gen db export results/corpus/results.db --to tables
  prof-gen db export results/corpus/results.db --table overview
  prof-gen db export results/corpus/results.db --format json --table overview | jq '.[].allowed'
  prof-gen db export results/corpus/results.db --format parquet --to tables
`;

interface ExportOptions {
  readonly format: ExportFormat;
  readonly table?: string;
  readonly to?: string;
}

/** `prof-gen db check|merge|export`: files of results. */
export function defineDbCommand(program: Command, io: Io, exit: (code: number) => void): void {
  const db = program
    .command('db')
    .summary('check, merge and export files of results')
    .description('Work on the databases that `prof-gen run` writes.');

  db.command('check')
    .summary('check that files of results are whole and agree with themselves')
    .description('Check the structure, the references, the outcomes, and each table against the documents.')
    .argument('<results...>', 'databases that `prof-gen run` wrote')
    .addHelpText('after', checkExamples)
    .action((files: readonly string[]) => {
      let good = true;
      for (const file of files) {
        const problems = checkStore(file);
        for (const { where, problem } of problems)
          io.stdout.write(`${printable(file)}: ${where}: ${problem}\n`);
        if (problems.length === 0) io.stdout.write(`${printable(file)}: good\n`);
        else good = false;
      }
      exit(good ? exitCodes.good : exitCodes.failed);
    });

  db.command('merge')
    .summary('bring the runs of several files together in a new one')
    .description('Write a new file with every image of the given ones once.')
    .argument('<results...>', 'databases that `prof-gen run` wrote')
    .requiredOption('--to <file>', 'file to write; it must not exist')
    .addHelpText('after', mergeExamples)
    .action(async (files: readonly string[], { to }: { to: string }) => {
      const runs = await mergeStores(files, to);
      const rows = runs.map(({ dataset, done, failed, pending, repeated }) =>
        [printable(dataset), done, failed, pending, repeated].map(String),
      );
      io.stdout.write(textTable(['dataset', 'done', 'failed', 'pending', 'repeated'], rows));
      exit(exitCodes.good);
    });

  db.command('export')
    .summary('write tables as CSV, JSON or Parquet')
    .description('Write the tables and views of a file of results for other tools.')
    .argument('<results>', 'database that `prof-gen run` wrote')
    .addOption(new Option('--format <format>', 'form of the tables').choices(exportFormats).default('csv'))
    .option('--table <name>', 'this table or view alone')
    .option('--to <dir>', 'directory for a file a table (needed for all tables, and for parquet)')
    .addHelpText('after', exportExamples)
    .action(async (file: string, { format, table, to }: ExportOptions) => {
      if (to === undefined && (table === undefined || format === 'parquet')) {
        throw new ProfGenError('usage/options', 'there is no directory to write to', {
          hint: 'give --to DIR, or --table NAME to have one table as CSV or JSON on standard output',
        });
      }
      await withTables(file, table, async (tables) => {
        for (const one of tables) {
          if (to === undefined) for (const piece of tableAs(one, format)) io.stdout.write(piece);
          else await writeWholeFile(join(to, `${one.name}.${format}`), tableAs(one, format));
        }
        if (to !== undefined) io.stdout.write(`${tables.length} tables in ${printable(to)}\n`);
      });
      exit(exitCodes.good);
    });
}
