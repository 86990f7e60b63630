import { ProfGenError } from '../error/prof-gen-error.js';
import type { ImageConfig } from './image-config.js';

/** What the container runtime executes first. */
export interface RunCommand {
  readonly argv: readonly string[];
  /** `NAME=value` lines of the image, then of the caller. */
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
}

export interface RunOverrides {
  /** Replaces the image's entrypoint; an image's cmd is then dropped, as `docker run --entrypoint` does. */
  readonly entrypoint?: readonly string[];
  /** Replaces the image's cmd. */
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
}

/**
 * Entrypoint and cmd put together as `docker run` does.
 * @throws ProfGenError `image/no-command` when there is nothing to run
 */
export function runCommandOf(config: ImageConfig, overrides: RunOverrides = {}): RunCommand {
  const entrypoint = overrides.entrypoint ?? config.entrypoint;
  const cmd = overrides.cmd ?? (overrides.entrypoint === undefined ? config.cmd : []);
  const argv = [...entrypoint, ...cmd];
  if (argv.length === 0 || argv[0] === '') {
    throw new ProfGenError('image/no-command', 'the image has neither entrypoint nor command', {
      hint: 'say what to run after `--`, such as: prof-gen profile IMAGE -- /usr/sbin/server --flag',
    });
  }
  return {
    argv,
    env: [...config.env, ...(overrides.env ?? [])],
    workingDir: overrides.workingDir ?? config.workingDir,
    user: overrides.user ?? config.user,
  };
}
