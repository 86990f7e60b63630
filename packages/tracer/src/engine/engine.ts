import { existsSync } from 'node:fs';
import { type EngineFacts, ProfGenError, printable } from '@prof-gen/core';
import type Docker from 'dockerode';
import { label, loaderOf, ownerAlive, ownerLabel, ownerOf } from './owner.js';
import { removeContainer } from './remove-container.js';

/** Milliseconds that the engine gets for one call; loading an image gets more. */
export const callLimit = 60_000;

/** What dockerode throws: an Error with the engine's HTTP status, or with a system code when it cannot be reached. */
interface EngineFailure {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly json?: { readonly message?: string };
}

/** The part of the engine's /info that is used here (Docker Engine API, SystemInfo). */
interface EngineInfo {
  readonly DefaultRuntime?: string;
  readonly KernelVersion: string;
  /** Absent before API 1.41. */
  readonly CgroupVersion?: string;
  readonly CgroupDriver?: string;
}

function statusOf(thrown: unknown): number | undefined {
  return (thrown as EngineFailure | undefined)?.statusCode;
}

/** The engine's own words. */
export function saidBy(thrown: unknown): string {
  const failure = thrown as EngineFailure | undefined;
  return printable(failure?.json?.message ?? failure?.message ?? String(thrown), 600);
}

function errorOf(what: string, thrown: unknown): ProfGenError {
  if (thrown instanceof ProfGenError) return thrown;
  const code = (thrown as EngineFailure | undefined)?.code;
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES' || code === 'EPERM') {
    return new ProfGenError('environment/engine', `no Docker engine answers (${code})`, {
      hint: 'start one (package docker.io), name its socket in DOCKER_HOST, or use --static',
      causes: [thrown],
    });
  }
  return new ProfGenError('trace/engine', `the engine could not ${what}: ${saidBy(thrown)}`, {
    causes: [thrown],
    details: { status: statusOf(thrown) ?? 0 },
  });
}

/** A Docker engine on this machine. Each call has a time limit, and errors have codes. */
export class Engine {
  readonly owner = ownerOf(process.pid);

  private constructor(readonly docker: Docker) {}

  /** @param socketPath where DOCKER_HOST or the default says, unless given */
  static async open(socketPath?: string): Promise<Engine> {
    // Loaded when it is needed: it takes a fifth of the time that a warm static analysis takes.
    const { default: Client } = await import('dockerode');
    return new Engine(new Client(socketPath === undefined ? {} : { socketPath }));
  }

  get labels(): Record<string, string> {
    return { [label]: '1', [ownerLabel]: this.owner };
  }

  /**
   * @throws ProfGenError `environment/engine`, `trace/engine-timeout`, `trace/engine`
   */
  async call<T>(what: string, work: () => Promise<T>, limit = callLimit): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new ProfGenError('trace/engine-timeout', `the engine did not ${what} within ${limit / 1000} s`, {
            hint: 'look at the engine’s log; a container that cannot be killed blocks it',
            retryable: true,
          }),
        );
      }, limit);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (thrown) {
      throw errorOf(what, thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the engine says of itself, and how it lays out cgroups. */
  async facts(): Promise<{ engine: EngineFacts; cgroupDriver: string }> {
    const version = await this.call('tell its version', () => this.docker.version());
    const info = (await this.call('tell what it is', () => this.docker.info())) as EngineInfo;
    const runtime = info.DefaultRuntime ?? 'runc';
    const components = (version.Components ?? []) as { Name: string; Version: string }[];
    const known = components.find(({ Name }) => Name === runtime || runtime.startsWith(`${Name}`));
    return {
      engine: {
        engine: 'docker',
        engineVersion: String(version.Version),
        runtime,
        runtimeVersion: known?.Version ?? 'unknown',
        kernel: info.KernelVersion,
        cgroupVersion: info.CgroupVersion ?? '1',
      },
      cgroupDriver: info.CgroupDriver ?? 'cgroupfs',
    };
  }

  /**
   * Removes containers, networks, volumes and images whose maker is gone, and those of this process when `own` is set.
   * What another live Prof-gen made stays.
   */
  async removeLeftovers(own = false): Promise<number> {
    const left = (owner: string | undefined): boolean => {
      if (owner === undefined) return false;
      return owner === this.owner ? own : !ownerAlive(owner);
    };
    const mine = (labels: Readonly<Record<string, string>> | null | undefined): boolean =>
      left(labels?.[ownerLabel]);
    const filters = { label: [label] };
    let removed = 0;
    const remove = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await this.call(`remove ${what}`, work);
        removed += 1;
      } catch (thrown) {
        // Gone already, or another process is removing it: a network has its containers a little longer than the list (403).
        const status = thrown instanceof ProfGenError ? thrown.details?.['status'] : undefined;
        if (status !== 404 && status !== 409 && status !== 403) throw thrown;
      }
    };
    const containers = await this.call('list containers', () =>
      this.docker.listContainers({ all: true, filters }),
    );
    for (const { Id } of containers.filter(({ Labels }) => mine(Labels))) {
      if (await removeContainer(this, this.docker.getContainer(Id))) removed += 1;
    }
    const networks = await this.call('list networks', () => this.docker.listNetworks({ filters }));
    for (const { Id } of networks.filter(({ Labels }) => mine(Labels))) {
      await remove('a network', () => this.docker.getNetwork(Id).remove());
    }
    const volumes = await this.call('list volumes', () => this.docker.listVolumes({ filters }));
    for (const { Name } of (volumes.Volumes ?? []).filter(({ Labels }) => mine(Labels))) {
      await remove('a volume', () => this.docker.getVolume(Name).remove({ force: true }));
    }
    const images = await this.call('list images', () => this.docker.listImages({ filters }));
    for (const { Id } of images.filter(({ Labels }) => mine(Labels))) {
      await remove('an image', () => this.docker.getImage(Id).remove({ force: true }));
    }
    const all = await this.call('list images', () => this.docker.listImages());
    const tags = all.flatMap(({ RepoTags }) => (RepoTags as string[] | null) ?? []);
    for (const tag of tags.filter((name) => left(loaderOf(name)))) {
      await this.removeTag(tag);
      removed += 1;
    }
    return removed;
  }

  /** Takes a name away, and the image with it when it was the last one. Never fails because it is gone or in use. */
  async removeTag(tag: string): Promise<void> {
    try {
      await this.call('remove an image', () => this.docker.getImage(tag).remove());
    } catch (thrown) {
      const status = thrown instanceof ProfGenError ? thrown.details?.['status'] : undefined;
      if (status !== 404 && status !== 409) throw thrown;
    }
  }
}

/** The socket that a user of this machine would expect, when it is there. */
export function defaultSocket(): string | undefined {
  if (process.env['DOCKER_HOST'] !== undefined) return undefined;
  return existsSync('/var/run/docker.sock') ? '/var/run/docker.sock' : undefined;
}
