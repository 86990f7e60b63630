import { ProfGenError, type ProfileDocument } from '@prof-gen/core';
import { loadRecordings, loadRuntimeBase, loadWorkload, profileImage } from '@prof-gen/runner';
import type { Command } from 'commander';
import { exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { parseOutputs, writeOutputs } from '../outputs.js';
import { type SessionOptions, withSession } from '../session.js';
import { collect, type ImageOptions, imageOptions, requestedImage } from './image-options.js';
import { sessionOptions } from './session-options.js';
import { checkTracerOptions, tracerOptions } from './tracer-options.js';

interface ProfileOptions extends SessionOptions, ImageOptions {
  readonly output: string[];
  readonly workload?: string;
  readonly observe?: string;
  readonly import?: string[];
  readonly learn?: boolean;
  readonly runtimeBase?: string;
  readonly dockerDefault: boolean;
}

const examples = `
IMAGE is a name as docker takes it, or has a scheme: registry:NAME, docker:NAME,
docker-archive:FILE, oci:DIR[:tag], oci-archive:FILE, dir:DIR. What stands after --
replaces the image's command.

Examples:
  prof-gen profile nginx:1.29 > nginx.json
  docker run --security-opt seccomp=nginx.json nginx:1.29

  prof-gen profile redis:7 --workload redis.yaml --output docker=redis.json --output table
  prof-gen profile nginx:1.29 --tracer strace > nginx.json
  prof-gen profile nginx:1.29 --static --import trace.* --output table
  prof-gen profile --static docker-archive:app.tar --output json -- /usr/bin/app --serve

Exit codes: 0 good, 1 failed, 2 usage, 3 the proof failed, 5 environment.
`;

/** `prof-gen profile IMAGE`: the main command. */
export function defineProfileCommand(program: Command, io: Io, exit: (code: number) => void): void {
  tracerOptions(imageOptions(sessionOptions(program.command('profile'))))
    .summary('write the seccomp profile of an image')
    .description('Find the system calls that an image needs for its run command, and write a profile.')
    .argument('<image>', 'image reference')
    .argument('[command...]', "replaces the image's command; write it after --")
    .option(
      '-o, --output <format[=file]>',
      'docker, json or table; repeatable (default: docker)',
      collect,
      [],
    )
    .option('--static', 'static analysis alone: no engine and no root needed')
    .option(
      '--workload <file>',
      'application-specific test for the proof; the profile does not learn from it',
    )
    .option('--observe <file>', 'a workload to learn from, besides the generic exercise')
    .option(
      '--import <files...>',
      'what other tools recorded, as evidence: logs of strace -f or -ff, recordings of the security-profiles-operator and of oci-seccomp-bpf-hook; repeatable',
    )
    .option('--learn', 'add what the proof denies, marked as learned, and prove again')
    .option(
      '--runtime-base <file>',
      'what prof-gen runtime-base has measured (default: what is known of the version)',
    )
    .option('--no-docker-default', "do not keep denied what Docker's default profile denies")
    .addHelpText('after', examples)
    .action(async (image: string, command: string[], options: ProfileOptions) => {
      exit(await runProfile(io, image, command, options));
    });
}

async function runProfile(
  io: Io,
  image: string,
  command: string[],
  options: ProfileOptions,
): Promise<number> {
  const outputs = parseOutputs(options.output.length === 0 ? ['docker'] : options.output);
  const withEngine = ['workload', 'observe', 'learn'] as const;
  const conflict = withEngine.find((name) => options.static && options[name] !== undefined);
  if (conflict !== undefined) {
    throw new ProfGenError('usage/options', `--${conflict} needs a container, and --static starts none`);
  }
  checkTracerOptions(options, options.workload && '--workload');
  if (options.learn && options.workload === undefined) {
    throw new ProfGenError(
      'usage/options',
      '--learn learns from a proof, and there is none without --workload',
    );
  }
  const [workload, observe, recordings, runtimeBase] = await Promise.all([
    options.workload === undefined ? undefined : loadWorkload(options.workload),
    options.observe === undefined ? undefined : loadWorkload(options.observe),
    options.import === undefined ? undefined : loadRecordings(options.import),
    options.runtimeBase === undefined ? undefined : loadRuntimeBase(options.runtimeBase),
  ]);

  const requested = requestedImage(options, command);
  const result = await withSession(io, options, (workbench, onEvent) =>
    profileImage(
      {
        name: image,
        reference: image,
        ...requested,
        ...(workload === undefined ? {} : { workload }),
        ...(observe === undefined ? {} : { observe }),
        ...(recordings === undefined ? {} : { recordings }),
        ...(runtimeBase === undefined ? {} : { runtimeBase }),
        learn: options.learn === true,
        intersectDockerDefault: options.dockerDefault,
      },
      workbench,
      onEvent,
    ),
  );
  await writeOutputs(outputs, result, io.stdout);
  if (!options.quiet) io.stderr.write(closingLine(result.document));
  return result.document.status === 'failed' ? exitCodes.proofFailed : exitCodes.good;
}

function closingLine({ status, stats, staticMisses, proof, unresolved }: ProfileDocument): string {
  const facts = [
    `${stats.allowed} of ${stats.table} calls allowed (Docker's default: ${stats.dockerDefault})`,
    `${stats.programs} programs`,
    `${stats.files} files`,
    ...(staticMisses.length === 0 ? [] : [`${staticMisses.length} static misses`]),
    ...(unresolved.length === 0 ? [] : [`${unresolved.length} unresolved call sites`]),
    ...(proof === undefined ? ['not proven: give a --workload'] : []),
  ];
  return `${status}: ${facts.join(', ')}\n`;
}
