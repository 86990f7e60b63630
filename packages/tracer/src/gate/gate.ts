import { imageConfigSchema, runCommandOf } from '@prof-gen/core';
import type { Engine } from '../engine/engine.js';
import type { TarFile } from '../engine/tar.js';
import { gateProgram } from './gate-program.js';

/** What whoever opens a gate has to know of the container. */
export interface GatedContainer {
  readonly id: string;
  /** Its exit status, or undefined when it still runs after `limit` milliseconds. */
  waitForExit(limit: number): Promise<number | undefined>;
}

/** Stands before each program that the engine starts in a container, until somebody watches what it does. */
export interface Gate {
  /**
   * Resolves when the process that waits at the gate has executed its program, watched.
   * @param pid in the container's own pid namespace
   * @throws ProfGenError `trace/start` when the program cannot be executed, and what watching may fail with
   */
  open(container: GatedContainer, pid: number): Promise<void>;
}

const gatePath = '/.prof-gen-gate';

export const gateFile = (): TarFile => ({
  path: gatePath.slice(1),
  content: gateProgram(),
  mode: 0o755,
});

/** What the engine sets where neither image nor caller says it (moby, oci/defaults.go). */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The last PATH of an environment: later lines replace earlier ones. */
function searchPath(env: readonly string[]): string {
  return env.findLast((line) => line.startsWith('PATH='))?.slice('PATH='.length) ?? defaultPath;
}

/**
 * The argument vector that starts `argv` behind the gate: the files that the runtime would look for (runc, through
 * Go's exec.LookPath; an empty part of PATH is the working directory), an empty word, and `argv` as it is.
 */
export function behindGate(argv: readonly string[], env: readonly string[]): string[] {
  const [name = ''] = argv;
  const files = name.includes('/')
    ? [name]
    : searchPath(env)
        .split(':')
        .map((directory) => `${directory || '.'}/${name}`);
  return [gatePath, ...files, '', ...argv];
}

interface ImageAndCommand {
  readonly image: string;
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
}

/** The run command of a container, and its environment, as the engine would put them together. */
export async function commandOf(
  engine: Engine,
  { image, entrypoint, cmd, env }: ImageAndCommand,
): Promise<{ readonly argv: readonly string[]; readonly env: readonly string[] }> {
  const inspected = await engine.call('look at an image', () => engine.docker.getImage(image).inspect());
  return runCommandOf(imageConfigSchema.parse(inspected.Config), {
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(cmd === undefined ? {} : { cmd }),
    ...(env === undefined ? {} : { env }),
  });
}
