import { ProfGenError } from '@prof-gen/core';
import { type Command, Option } from 'commander';
import type { SessionOptions } from '../session.js';

/** Adds the options of `SessionOptions` to a command. */
export function sessionOptions(command: Command): Command {
  return command
    .option(
      '--cache <dir>',
      'directory for layers and summaries (default: $PROF_GEN_CACHE or ~/.cache/prof-gen)',
    )
    .option('--threads <n>', 'worker threads for static analysis (default: one a processor)', positiveInteger)
    .option('-q, --quiet', 'print results, warnings and errors only')
    .option('--no-progress', 'lines instead of a live display')
    .addOption(
      new Option(
        '--log-format <format>',
        'form of progress, warnings and errors: text, or json, a line an event',
      )
        .choices(['text', 'json'])
        .default('text'),
    );
}

/** Options of commands that run a dataset. */
export interface DatasetOptions extends SessionOptions {
  readonly results: string;
  readonly reports: string;
  readonly only?: readonly string[];
  readonly resume?: boolean;
  readonly jobs: number;
}

/** Adds the options of `DatasetOptions` to a command, without those that all share. */
export function datasetOptions(command: Command): Command {
  return command
    .option('--results <dir>', 'directory for results', 'results')
    .option('--reports <dir>', 'directory for reports', 'reports')
    .option('--only <names...>', 'some of its images, by name')
    .option('--resume', 'go on with the last run of this dataset that did not end')
    .option('-j, --jobs <n>', 'images under way at once', positiveInteger, 2);
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 1024) {
    throw new ProfGenError('usage/options', `"${text}" is not a number from 1 to 1024`);
  }
  return value;
}
