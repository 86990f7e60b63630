import {
  type ConfinePublished,
  type Cve,
  type CveDataset,
  type DockerComparison,
  type Measures,
  type Reduction,
  type SyscallFacts,
  x86_64Syscalls,
} from '@prof-gen/core';
import { type ContainerFacts, dockerDefaultAllows } from '@prof-gen/profile';

/** What is looked at of a profile: a ProfileDocument has it as `syscalls`, a Profile as `allowed`. */
export type AllowedCalls = readonly { readonly name: string; readonly when?: unknown }[];

export interface MeasureFacts {
  /** The container that Docker's default is evaluated for. */
  readonly container: ContainerFacts;
  readonly cves: CveDataset;
  readonly confine: ConfinePublished;
  readonly syscalls: SyscallFacts;
  /** Official image that the profile is for, without registry and tag, such as `redis`. */
  readonly official?: string | undefined;
}

/** How much of a universe is denied. */
export function reductionOf(universe: number, allowed: number): Reduction {
  return { universe, allowed, reduction: universe === 0 ? 0 : (universe - allowed) / universe };
}

/** A CVE is neutralised when every call that any source names for it is denied; a conditional call is not. */
export function isNeutralised(cve: Cve, allowed: ReadonlySet<string>): boolean {
  return cve.reach.every(({ syscalls }) => syscalls.every((name) => !allowed.has(name)));
}

/** Sorted identifiers of the CVEs of which every call is denied. */
export function neutralised(cves: CveDataset, allowed: ReadonlySet<string>): string[] {
  return cves.cves
    .filter((cve) => isNeutralised(cve, allowed))
    .map(({ id }) => id)
    .sort();
}

/** The profile beside what Docker's default allows to the same container. */
export function compareWithDockerDefault(calls: AllowedCalls, container: ContainerFacts): DockerComparison {
  const docker = dockerDefaultAllows(container);
  const allowed = new Set(calls.map(({ name }) => name));
  const removed = [...docker].filter((name) => !allowed.has(name)).sort();
  return {
    dockerDefault: docker.size,
    allowed: allowed.size,
    removed,
    added: [...allowed].filter((name) => !docker.has(name)).sort(),
    reduction: removed.length / docker.size,
  };
}

/** One profile's figures. A call that is allowed for some arguments counts as allowed everywhere. */
export function measureProfile(calls: AllowedCalls, facts: MeasureFacts): Measures {
  const { confine, container, cves, official, syscalls } = facts;
  const allowed = new Set(calls.map(({ name }) => name));
  const conditional = new Set(calls.filter(({ when }) => when !== undefined).map(({ name }) => name));
  const deniedOfConfines = confine.decided.filter((name) => !allowed.has(name)).length;
  const published = confine.images.find(
    (image) => image.official && image.denied > 0 && official !== undefined && image.name === official,
  );
  return {
    table: reductionOf(
      x86_64Syscalls.names.length,
      x86_64Syscalls.names.filter((name) => allowed.has(name)).length,
    ),
    confineUniverse: reductionOf(confine.universe, confine.universe - deniedOfConfines),
    docker: compareWithDockerDefault(calls, container),
    cves: {
      total: cves.cves.length,
      neutralised: neutralised(cves, allowed),
      byDockerDefault: neutralised(cves, dockerDefaultAllows(container)),
    },
    dangerous: syscalls.dangerous
      .filter(({ name }) => allowed.has(name))
      .map(({ name, why }) => ({ name, why, conditional: conditional.has(name) })),
    ...(published === undefined
      ? {}
      : {
          confinePublished: {
            image: published.name,
            allowed: confine.universe - published.denied,
            denied: published.denied,
            validated: published.validated,
          },
        }),
  };
}
