import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { type Explanation, ProfGenError, printable, profileDocumentSchema, validated } from '@prof-gen/core';
import { explainImage } from '@prof-gen/runner';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { documentReasons } from '../reporters/document-reasons.js';
import { explanationLines, explanationText } from '../reporters/explanation-text.js';
import { type SessionOptions, withSession } from '../session.js';
import { parseSyscalls } from '../syscall-list.js';
import { collect, type ImageOptions, imageOptions, requestedImage } from './image-options.js';
import { positiveInteger, sessionOptions } from './session-options.js';

interface ExplainOptions extends SessionOptions, ImageOptions {
  readonly all?: boolean;
  readonly unresolved?: boolean;
  readonly program: string[];
  readonly object: string[];
  readonly chains: number;
  readonly json?: boolean;
}

const examples = `
IMAGE is a name as docker takes it, or has a scheme (prof-gen profile --help). It may also be a
document that prof-gen profile --output json=FILE.json wrote: then its reasons are printed, the traced
ones too, without ways. SYSCALL is a name or a number, or several with commas between them.
What stands after -- replaces the image's command.

A way is the shortest one from where the program starts to an instruction that makes the call.
Each step says how it is reached from the one above. Neither Docker nor root is needed.

Examples:
  prof-gen explain redis:7 socket
  prof-gen explain docker-archive:app.tar bpf,ptrace,321 -- /usr/bin/app --serve
  prof-gen explain nginx:1.29 socket --program nginx --object libc.so.6 --chains 3
  prof-gen explain nginx:1.29 --all
  prof-gen explain nginx:1.29 --unresolved
  prof-gen explain nginx.json openat

Exit codes: 0 answered, also when no program can make the call; 1 failed; 2 usage.
`;

/** `prof-gen explain IMAGE SYSCALL`: why a call is in the profile. */
export function defineExplainCommand(program: Command, io: Io, exit: (code: number) => void): void {
  imageOptions(sessionOptions(program.command('explain')))
    .summary('say why programs of an image can make a system call')
    .description('Print the shortest way from where a program starts to an instruction that makes the call.')
    .argument('<image>', 'image reference, or a document of prof-gen profile (FILE.json)')
    .argument('[syscall]', 'names or numbers, commas between them; left out with --all and --unresolved')
    .argument('[command...]', "replaces the image's command; write it after --")
    .option('--all', 'a line for every call that static analysis finds')
    .option('--unresolved', 'ways to reachable call sites whose number is not decided')
    .option('--program <path>', 'ask this program only, by path or last part; repeatable', collect, [])
    .option('--object <path>', 'sites in this file only, by path or last part; repeatable', collect, [])
    .option('--chains <n>', 'sites shown for each call and program, the nearest first', positiveInteger, 1)
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(
      async (image: string, syscalls: string | undefined, command: string[], options: ExplainOptions) => {
        await explain(io, image, syscalls, command, options);
        exit(exitCodes.good);
      },
    );
}

/** Whether a path is one of those asked for, whole or by its last part. */
function filterOf(wanted: readonly string[]): { readonly is?: (path: string) => boolean } {
  if (wanted.length === 0) return {};
  return { is: (path) => wanted.includes(path) || wanted.includes(posix.basename(path)) };
}

async function explain(
  io: Io,
  image: string,
  first: string | undefined,
  rest: readonly string[],
  options: ExplainOptions,
): Promise<void> {
  const { all = false, unresolved = false } = options;
  if (all && unresolved) throw new ProfGenError('usage/options', 'give --all or --unresolved, not both');
  // With these there is no SYSCALL, so that the first word belongs to the command.
  const isOpen = all || unresolved;
  const command = isOpen && first !== undefined ? [first, ...rest] : rest;
  if (!isOpen && first === undefined) {
    throw new ProfGenError('usage/options', 'which system call?', {
      hint: 'write a name such as openat after the image, or --all',
    });
  }
  const syscalls = all ? 'all' : new Set(isOpen ? [] : parseSyscalls(first ?? ''));
  const program = filterOf(options.program);
  const object = filterOf(options.object);

  if (image.endsWith('.json') && !image.includes(':')) {
    const document = validated(
      profileDocumentSchema,
      await readDocument(image),
      printable(image),
      'usage/bad-document',
    );
    io.stdout.write(
      documentReasons(document, { syscalls, isWantedProgram: program.is, isWantedObject: object.is }),
    );
    return;
  }
  const explanation = await withSession(io, { ...options, static: true }, (workbench, onEvent) =>
    explainImage(
      {
        name: image,
        reference: image,
        ...requestedImage(options, command),
        syscalls,
        unresolved,
        chains: options.chains,
        ...(program.is && { isWantedProgram: program.is }),
        ...(object.is && { isWantedObject: object.is }),
      },
      workbench,
      onEvent,
    ),
  );
  if (explanation.programs.length === 0) {
    throw new ProfGenError(
      'usage/no-such-program',
      `no program of the image is ${options.program.join(' or ')}`,
      {
        hint: 'leave --program out to ask all programs',
      },
    );
  }
  io.stdout.write(render(explanation, options));
}

function render(explanation: Explanation, { json, all }: ExplainOptions): string {
  if (json) return `${JSON.stringify(explanation, undefined, 2)}\n`;
  return all ? explanationLines(explanation) : explanationText(explanation);
}

async function readDocument(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    throw new ProfGenError('usage/bad-document', `${printable(file)} cannot be read as JSON`, {
      hint: 'give an image, or a document that prof-gen profile --output json=FILE.json wrote',
      causes: [error],
    });
  }
}
