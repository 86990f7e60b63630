import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ImageConfig,
  ProfGenError,
  type Readiness,
  type Workload,
  type WorkloadBeside,
  type WorkloadStep,
} from '@prof-gen/core';
import type { Container, ContainerSpec } from '../container/container.js';
import type { TarFile } from '../engine/tar.js';
import type { Run } from '../run.js';
import { problemOf, tailOf } from './expectation.js';
import { waitUntilReady } from './readiness.js';

const healthLimit = 30_000;
const shellLimit = 20_000;

/** argv of an image's health check as the engine would run it (Docker image specification v1.2), if there is one. */
export function healthCommand(config: ImageConfig): readonly string[] | undefined {
  const [kind, ...rest] = config.healthcheck;
  if (kind === 'CMD') return rest;
  if (kind === 'CMD-SHELL') return [...config.shell, ...rest];
  return undefined;
}

/** What a person's first `docker exec` would do, with the shell's own commands alone. */
export const shellScript = [
  'echo ok',
  'cd /',
  'pwd >/dev/null',
  'umask >/dev/null',
  '(exit 0)',
  'test -r /etc/passwd',
  'echo one | { read -r word; test "$word" = one; }',
  'for name in *; do :; done',
  'sleepless() { :; }; sleepless &',
  'wait',
  'kill -0 $$',
  'echo done',
].join('\n');

/** Paths of shells that `docker exec` is used with. */
export async function hasShell(container: Container): Promise<boolean> {
  return container.has('/bin/sh');
}

const filesOf = ({ files }: Pick<Workload, 'files'>): TarFile[] =>
  files.map(({ path, content, mode }) => ({
    path: path.replace(/^\/+/, ''),
    content: Buffer.from(content),
    mode,
  }));

/**
 * Runs the phases of an application-specific test (docs/workloads.md): start, workload, health, shell, stop, restart,
 * error. Steps that fail are recorded; after a failed start the rest of that container is left out.
 */
export async function runWorkload(run: Run, workload: Workload, config: ImageConfig): Promise<void> {
  const volumes = await run.volumes(workload.volumes);
  const spec = {
    env: workload.env,
    files: filesOf(workload),
    volumes,
    ...(workload.cmd === undefined ? {} : { cmd: workload.cmd }),
  };
  run.phase('start');
  const first = await startContainer(run, spec, workload.ready, workload.beside);
  if (first.ready) {
    run.phase('workload');
    for (const step of workload.steps) await runStep(run, workload, first.container, step);
    if (first.container.exited === undefined) await healthAndShell(run, workload, config, first.container);
    await stop(run, workload, config, first.container);
  }
  await removeStarted(run, first);

  if (workload.restart !== undefined && first.ready) {
    run.phase('restart');
    const second = await startContainer(run, spec, workload.restart.ready ?? workload.ready, workload.beside);
    if (second.ready) {
      for (const step of workload.restart.steps) await runStep(run, workload, second.container, step);
      await stop(run, workload, config, second.container, 'restart');
    }
    await removeStarted(run, second);
  }

  if (workload.errorPath !== undefined) {
    const { cmd, expect, timeout } = workload.errorPath;
    run.phase('error');
    // On its own fresh volumes: a mistake must not be hidden by what the test has left.
    const wrong = await startContainer(run, { env: workload.env, files: filesOf(workload), cmd });
    if (wrong.ready) {
      run.step(`ends: ${cmd.join(' ')}`, problemOf(await wrong.container.finish(timeout * 1000), expect));
    }
    await removeStarted(run, wrong);
  }
}

interface Started {
  readonly ready: boolean;
  readonly container: Container;
  readonly beside: readonly Container[];
}

/** The servers beside it first: they live on its network. */
async function removeStarted(run: Run, { beside, container }: Started): Promise<void> {
  for (const server of beside) await run.remove(server);
  await run.remove(container);
}

/** Whether the engine could not start a container, which a profile may be the reason for. */
export function isStartFailure(thrown: unknown): thrown is ProfGenError {
  return thrown instanceof ProfGenError && ['trace/start', 'trace/engine-timeout'].includes(thrown.code);
}

/** Creates and starts; a runtime that cannot start it under the profile is a failed step, not an error. */
async function startContainer(
  run: Run,
  spec: Pick<ContainerSpec, 'cmd' | 'env' | 'volumes' | 'files'>,
  ready?: Readiness,
  servers: readonly WorkloadBeside[] = [],
): Promise<Started> {
  const container = await run.container(spec);
  const beside: Container[] = [];
  const started = (isReady: boolean): Started => ({ ready: isReady, container, beside });
  try {
    await container.start();
  } catch (thrown) {
    if (!isStartFailure(thrown)) throw thrown;
    run.step('starts', thrown.message);
    return started(false);
  }
  run.step('starts');
  for (const server of servers) {
    if (!(await startBeside(run, container, server, beside))) return started(false);
  }
  if (ready === undefined) return started(true);
  const problem = await waitUntilReady(container, ready, run.signal);
  run.step('is ready', problem);
  return started(problem === undefined);
}

/** Starts a server beside the container, adds it to those that are to be removed, and waits for it. */
async function startBeside(
  run: Run,
  container: Container,
  { name, image, cmd, env, ready, ...server }: WorkloadBeside,
  beside: Container[],
): Promise<boolean> {
  const side = await run.side(container, {
    image: image ?? run.options.image,
    cmd,
    env,
    files: filesOf(server),
  });
  beside.push(side);
  let problem: string | undefined;
  try {
    await side.start();
    // It has no network of its own.
    side.address = container.address;
    problem = await waitUntilReady(side, ready, run.signal);
  } catch (thrown) {
    if (!isStartFailure(thrown)) throw thrown;
    problem = thrown.message;
  }
  run.step(`${name} beside it is ready`, problem);
  return problem === undefined;
}

async function runStep(
  run: Run,
  workload: Workload,
  container: Container,
  step: WorkloadStep,
): Promise<void> {
  const limit = step.timeout * 1000;
  const from = container.output.position;
  const problems: string[] = [];
  if (step.signal !== undefined) await container.kill(step.signal);
  if (step.run !== undefined) {
    const result =
      step.in === 'container'
        ? await container.exec(step.run, limit)
        : await runBeside(run, workload.tools ?? run.options.image, container, step.run, limit);
    const problem = problemOf(result, step.expect);
    if (problem !== undefined) problems.push(problem);
  }
  if (step.log !== undefined && problems.length === 0) {
    const pattern = new RegExp(step.log, 'm');
    const started = performance.now();
    while (!pattern.test(container.output.text(from))) {
      if (performance.now() - started > limit || container.exited !== undefined) {
        problems.push(
          `no line of the log matches ${step.log}; it said: ${tailOf(container.output.text(from))}`,
        );
        break;
      }
      await sleep(50, undefined, { signal: run.signal });
    }
  }
  run.step(step.name, problems.length === 0 ? undefined : problems.join('; '));
}

async function runBeside(
  run: Run,
  image: string,
  container: Container,
  argv: readonly string[],
  limit: number,
): Promise<{ readonly exit: number | undefined; readonly output: string }> {
  const side = await run.side(container, { image, entrypoint: argv.slice(0, 1), cmd: argv.slice(1) });
  try {
    await side.start();
    return await side.finish(limit);
  } catch (thrown) {
    // The tested container may have ended, and its network with it: that is the step's result.
    if (!(thrown instanceof ProfGenError) || thrown.code !== 'trace/start') throw thrown;
    return { exit: -1, output: thrown.message };
  } finally {
    await run.remove(side);
  }
}

async function healthAndShell(
  run: Run,
  workload: Workload,
  config: ImageConfig,
  container: Container,
): Promise<void> {
  const ofImage = healthCommand(config);
  if (ofImage !== undefined || workload.health !== undefined) run.phase('health');
  if (ofImage !== undefined) {
    const result = await container.exec(ofImage, healthLimit);
    run.step('health check of the image', problemOf(result, { exit: 0, output: [], not: [] }));
  }
  if (workload.health !== undefined) {
    const result = await container.exec(workload.health.run, healthLimit);
    run.step('health check of the workload', problemOf(result, workload.health.expect));
  }
  if (await hasShell(container)) {
    run.phase('shell');
    const result = await container.exec(['/bin/sh', '-c', shellScript], shellLimit);
    run.step('docker exec of a shell', problemOf(result, { exit: 0, output: ['^ok$', '^done$'], not: [] }));
  }
}

async function stop(
  run: Run,
  workload: Workload,
  config: ImageConfig,
  container: Container,
  inPhase?: string,
): Promise<void> {
  if (inPhase === undefined) run.phase('stop');
  if (container.exited !== undefined && 'exit' in workload.ready) {
    run.note('ends', 'it ends by itself');
    return;
  }
  const signal = workload.stop.signal ?? config.stopSignal;
  await container.kill(signal);
  const result = await container.finish(workload.stop.timeout * 1000);
  run.step(`ends on ${signal}`, problemOf(result, { exit: workload.stop.exit, output: [], not: [] }));
}
