import { loadDockerProfile, loadWorkload, type Verification, verifyImage } from '@prof-gen/runner';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { verificationText } from '../reporters/verification-text.js';
import { type SessionOptions, withSession } from '../session.js';
import { type ImageOptions, imageOptions, requestedImage } from './image-options.js';
import { sessionOptions } from './session-options.js';

interface VerifyOptions extends SessionOptions, ImageOptions {
  readonly profile: string;
  readonly workload?: string;
  readonly json?: boolean;
}

const examples = `
FILE of --profile is a seccomp profile as docker run takes it, from wherever it comes. Without --workload
the container is started, its ports and its shell are tried, and it is stopped: a first look, no proof
that it works. Calls that Docker's default profile denies to such a container too are listed and do
not count. Of what counts, static analysis says where the program makes the call.

Examples:
  prof-gen verify nginx:1.29 --profile nginx.json --workload datasets/workloads/nginx.yaml
  prof-gen verify redis:7 --profile redis.json -- redis-server --appendonly yes

Exit codes: 0 the workload passed and no call was denied, 1 failed, 2 usage, 3 not so, 5 environment.
`;

/** `prof-gen verify IMAGE --profile FILE`: does an image work under a profile? */
export function defineVerifyCommand(program: Command, io: Io, exit: (code: number) => void): void {
  imageOptions(sessionOptions(program.command('verify')))
    .summary('run an image under a profile and see whether anything is denied')
    .description(
      'Run an image under a seccomp profile, and fail when a step of the test fails or a call is denied.',
    )
    .argument('<image>', 'image reference')
    .argument('[command...]', "replaces the image's command; write it after --")
    .requiredOption('--profile <file>', 'Docker seccomp profile')
    .option('--workload <file>', 'application-specific test (docs/workloads.md)')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (image: string, command: string[], options: VerifyOptions) => {
      exit(await verify(io, image, command, options));
    });
}

async function verify(
  io: Io,
  image: string,
  command: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const [profile, workload] = await Promise.all([
    loadDockerProfile(options.profile),
    options.workload === undefined ? undefined : loadWorkload(options.workload),
  ]);
  const verification = await withSession(io, options, (workbench, onEvent) =>
    verifyImage(
      {
        name: image,
        reference: image,
        ...requestedImage(options, command),
        profile,
        ...(workload && { workload }),
      },
      workbench,
      onEvent,
    ),
  );
  io.stdout.write(options.json ? json(verification) : verificationText(verification));
  return verification.proof.status === 'passed' ? exitCodes.good : exitCodes.proofFailed;
}

const json = (verification: Verification): string =>
  `${JSON.stringify({ schemaVersion: 1, ...verification }, undefined, 2)}\n`;
