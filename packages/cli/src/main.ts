import { errorData } from '@prof-gen/core';
import { toolVersion } from '@prof-gen/runner';
import { Command, CommanderError } from 'commander';
import { defineCrawlCommand } from './commands/crawl-command.js';
import { defineCompareCommand } from './commands/compare-command.js';
import { defineCorpusCommand } from './commands/corpus-command.js';
import { defineDbCommand } from './commands/db-command.js';
import { defineExplainCommand } from './commands/explain-command.js';
import { defineProfileCommand } from './commands/profile-command.js';
import { defineReportCommand } from './commands/report-command.js';
import { defineReproduceCommand } from './commands/reproduce-command.js';
import { defineRunCommand } from './commands/run-command.js';
import { defineVerifyCommand } from './commands/verify-command.js';
import { defineRuntimeBaseCommand } from './commands/runtime-base-command.js';
import { exitCodeOf, exitCodes } from './exit-code.js';
import type { Io } from './io.js';
import { errorText } from './reporters/error-text.js';
import { isTold } from './session.js';

/**
 * Runs one command line.
 * @param argv words after `prof-gen`
 * @returns the exit code (docs/cli.md)
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCodes.good;
  const program = new Command('prof-gen')
    .description('Restrictive seccomp profiles for containers, from an image and a run command.')
    .version(toolVersion)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .showHelpAfterError('(try --help)');
  const exit = (value: number) => {
    code = value;
  };
  defineProfileCommand(program, io, exit);
  defineRunCommand(program, io, exit);
  defineReportCommand(program, io, exit);
  defineCompareCommand(program, io, exit);
  defineReproduceCommand(program, io, exit);
  defineDbCommand(program, io, exit);
  defineVerifyCommand(program, io, exit);
  defineRuntimeBaseCommand(program, io, exit);
  defineExplainCommand(program, io, exit);
  defineCrawlCommand(program, io, exit);
  defineCorpusCommand(program, io, exit);
  inherit(program);

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
    if (error instanceof Error && error.name === 'AbortError') {
      io.stderr.write('interrupted; what was started has been removed\n');
      return exitCodes.interrupted;
    }
    const data = errorData(error);
    if (!isTold(error)) io.stderr.write(errorText(data));
    if (data.code === 'internal/unexpected' && io.env['PROF_GEN_DEBUG'] && error instanceof Error) {
      io.stderr.write(`${error.stack}\n`);
    }
    return exitCodeOf(data.code);
  }
}

/** Settings of the program for its commands, and for theirs. */
function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.exitOverride().copyInheritedSettings(parent);
    inherit(command);
  }
}
