import {
  parsePlatform,
  type Platform,
  ProfGenError,
  printable,
  reachabilities,
  type Reachability,
  type RunOverrides,
} from '@prof-gen/core';
import type { Command } from 'commander';

/** Options that say which image is meant and how it is run. */
export interface ImageOptions {
  readonly platform?: string;
  readonly entrypoint?: string;
  readonly env: string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly reachability: Reachability;
}

export const collect = (value: string, previous: string[]): string[] => [...previous, value];

/** Adds the options of `ImageOptions` to a command. */
export function imageOptions(command: Command): Command {
  return reachabilityOption(
    command
      .option('--platform <os/arch>', 'platform of the image (default: linux/amd64)')
      .option('--entrypoint <program>', "replaces the image's entrypoint")
      .option('-e, --env <name=value>', 'set a variable in the container; repeatable', collect, [])
      .option('-u, --user <user>', 'user in the container')
      .option('-w, --workdir <dir>', 'working directory in the container'),
  );
}

export function reachabilityOption(command: Command): Command {
  return command.option(
    '--reachability <kind>',
    `what static analysis counts as reachable: ${reachabilities.join(', ')}`,
    parseReachability,
    'objects',
  );
}

function parseReachability(text: string): Reachability {
  const found = reachabilities.find((known) => known === text);
  if (found !== undefined) return found;
  throw new ProfGenError('usage/options', `"${printable(text)}" is not a kind of reachability`, {
    hint: `one of: ${reachabilities.join(', ')}`,
  });
}

export interface RequestedImage {
  readonly platform?: Platform;
  readonly overrides: RunOverrides;
  readonly reachability: Reachability;
}

/** @param command words that replace the image's */
export function requestedImage(options: ImageOptions, command: readonly string[]): RequestedImage {
  const { platform, entrypoint, env, user, workdir, reachability } = options;
  return {
    reachability,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    overrides: {
      ...(entrypoint === undefined ? {} : { entrypoint: [entrypoint] }),
      ...(command.length === 0 ? {} : { cmd: [...command] }),
      ...(env.length === 0 ? {} : { env }),
      ...(user === undefined ? {} : { user }),
      ...(workdir === undefined ? {} : { workingDir: workdir }),
    },
  };
}
