import { writeFile } from 'node:fs/promises';
import { measureRuntimeBase } from '@prof-gen/runner';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { withEvents } from '../session.js';
import { positiveInteger } from './session-options.js';

interface RuntimeBaseOptions {
  readonly rounds: number;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly progress: boolean;
}

const examples = `
A container runtime makes calls of its own between loading the filter and executing the program, and
they depend on its version. Prof-gen knows some versions, and for any other takes the union of its
neighbours. This measures the one that your engine uses: it looks which calls are made, then leaves
out one after the other while containers are started in ten ways (root, another user,
no-new-privileges, terminal, read-only, init, exec, health checks, …). Root and bpftrace are needed.

Examples:
  prof-gen runtime-base
  prof-gen runtime-base --rounds 5 --output runc.json
  prof-gen profile nginx:1.29 --runtime-base runc.json > nginx.json

Exit codes: 0 good, 1 failed, 2 usage, 5 environment.
`;

/** `prof-gen runtime-base`: what the runtime at hand calls after the filter is on. */
export function defineRuntimeBaseCommand(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('runtime-base')
    .summary('measure which calls the container runtime needs')
    .description('Measure which system calls the container runtime needs after it has loaded a filter.')
    .option('--rounds <n>', 'starts in each way, with and without each call', positiveInteger, 3)
    .option('-o, --output <file>', 'where to write the JSON (default: standard output)')
    .option('-q, --quiet', 'print results, warnings and errors only')
    .option('--no-progress', 'lines instead of a live display')
    .addHelpText('after', examples)
    .action(async (options: RuntimeBaseOptions) => {
      const base = await withEvents(io, options, (onEvent, signal) =>
        measureRuntimeBase({ rounds: options.rounds, onEvent, signal }),
      );
      const text = `${JSON.stringify(base, undefined, 2)}\n`;
      if (options.output === undefined) io.stdout.write(text);
      else await writeFile(options.output, text);
      exit(exitCodes.good);
    });
}
