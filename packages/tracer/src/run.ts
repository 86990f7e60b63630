import { randomUUID } from 'node:crypto';
import type { PhaseResult, RunOverrides, StepResult } from '@prof-gen/core';
import { Container, type ContainerLimits, type ContainerSpec } from './container/container.js';
import type { Engine } from './engine/engine.js';
import { judgedCalls } from './record/judged-calls.js';
import type { Watch, WatchRecord } from './way/way.js';

export interface RunOptions {
  readonly engine: Engine;
  /** Sees what the containers do; ended by `close`. */
  readonly watch: Watch;
  readonly image: string;
  readonly overrides: RunOverrides;
  readonly seccomp?: string;
  readonly limits: ContainerLimits;
  readonly signal: AbortSignal;
}

/**
 * One observation or proof: its containers, their network and volumes, and the phases that what they do is counted
 * under. Whatever it made is gone after `close`.
 */
export class Run {
  readonly options: RunOptions;
  readonly phases: PhaseResult[] = [];
  readonly #name = `prof-gen-${randomUUID().slice(0, 13)}`;
  readonly #volumes = new Map<string, string>();
  readonly #containers = new Set<Container>();
  #network: string | undefined;
  #steps: StepResult[] = [];

  constructor(options: RunOptions) {
    this.options = options;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  /** What happens from now on belongs to this phase. */
  phase(name: string): void {
    this.#steps = [];
    this.phases.push({ name, steps: this.#steps });
    this.options.watch.phase(this.phases.length - 1);
  }

  /** Records what came of a step in the current phase. */
  step(name: string, problem?: string): void {
    this.#steps.push({ name, passed: problem === undefined, detail: problem ?? '' });
  }

  /** Records a step that found something worth telling and cannot fail. */
  note(name: string, detail: string): void {
    this.#steps.push({ name, passed: true, detail });
  }

  get passed(): boolean {
    return this.phases.every(({ steps }) => steps.every(({ passed }) => passed));
  }

  /** Name of the volume for a path; the same for all containers of the run. */
  async volumes(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { engine } = this.options;
    for (const path of paths) {
      if (this.#volumes.has(path)) continue;
      const name = `${this.#name}-${this.#volumes.size}`;
      await engine.call('make a volume', () =>
        engine.docker.createVolume({ Name: name, Labels: engine.labels }),
      );
      this.#volumes.set(path, name);
    }
    return new Map(paths.map((path) => [path, this.#volumes.get(path) ?? '']));
  }

  /** A network of this run alone, without a way out. */
  async #internalNetwork(): Promise<string> {
    const { engine } = this.options;
    if (this.#network === undefined) {
      await engine.call('make a network', () =>
        engine.docker.createNetwork({
          Name: this.#name,
          Driver: 'bridge',
          Internal: true,
          Labels: engine.labels,
        }),
      );
      this.#network = this.#name;
    }
    return this.#network;
  }

  /** The tested container: under the run's profile, traced. Created, not started. */
  async container(
    spec: Pick<ContainerSpec, 'cmd' | 'env' | 'volumes' | 'input' | 'files'>,
  ): Promise<Container> {
    const { engine, image, overrides, seccomp, limits, signal, watch } = this.options;
    const container = await Container.create(
      engine,
      {
        image,
        entrypoint: overrides.entrypoint,
        cmd: spec.cmd ?? overrides.cmd,
        env: [...(overrides.env ?? []), ...(spec.env ?? [])],
        workingDir: overrides.workingDir,
        user: overrides.user,
        seccomp,
        limits,
        network: await this.#internalNetwork(),
        gate: watch.gate,
        ...(spec.volumes === undefined ? {} : { volumes: spec.volumes }),
        ...(spec.input === undefined ? {} : { input: spec.input }),
        ...(spec.files === undefined ? {} : { files: spec.files }),
      },
      signal,
    );
    this.#containers.add(container);
    await watch.add(container, this.phases.length - 1, judgedCalls(seccomp));
    return container;
  }

  /** A container on the network and volumes of the tested one: neither under its profile nor traced. */
  async side(
    beside: Container,
    spec: Pick<ContainerSpec, 'image' | 'entrypoint' | 'cmd' | 'env' | 'files'>,
  ): Promise<Container> {
    const { engine, limits, signal } = this.options;
    const container = await Container.create(
      engine,
      { ...spec, network: `container:${beside.id}`, volumesOf: beside.id, limits },
      signal,
    );
    this.#containers.add(container);
    return container;
  }

  async remove(container: Container): Promise<void> {
    await container.remove();
    this.#containers.delete(container);
  }

  /** What was seen so far, and whether some of it may be missing. */
  record(): Promise<WatchRecord> {
    return this.options.watch.record(this.phases.map(({ name }) => name));
  }

  async close(): Promise<void> {
    const { engine, watch } = this.options;
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((thrown: unknown) => failures.push(thrown));
    };
    await Promise.all([...this.#containers].map((container) => attempt(() => container.remove())));
    this.#containers.clear();
    await attempt(() => watch.close());
    const network = this.#network;
    if (network !== undefined) {
      await attempt(() => engine.call('remove a network', () => engine.docker.getNetwork(network).remove()));
    }
    for (const volume of this.#volumes.values()) {
      await attempt(() =>
        engine.call('remove a volume', () => engine.docker.getVolume(volume).remove({ force: true })),
      );
    }
    if (failures.length > 0) throw failures[0];
  }
}
