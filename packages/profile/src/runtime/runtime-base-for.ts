import type { RuntimeBase } from '@prof-gen/core';
import bases from '../data/runtime-bases.json' with { type: 'json' };
import { compareVersions } from '../version/compare-versions.js';

/** All measured runtime bases, oldest first for each runtime. */
export const runtimeBases: readonly RuntimeBase[] = [...bases].sort(
  (a, b) =>
    (a.runtime < b.runtime ? -1 : a.runtime > b.runtime ? 1 : 0) || compareVersions(a.version, b.version),
);

function union(parts: readonly RuntimeBase[]): RuntimeBase {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const runtimes = [...new Set(parts.map(({ runtime }) => runtime))];
  return {
    runtime: runtimes.join(' or '),
    version: parts
      .map(({ runtime, version }) => (runtimes.length > 1 ? `${runtime} ${version}` : version))
      .join(' or '),
    source: 'union of the nearest versions that were measured',
    syscalls: [...new Set(parts.flatMap(({ syscalls }) => syscalls))].sort(),
  };
}

/**
 * What the runtime at hand calls after the filter is on.
 *
 * A measured version answers for itself. One between two measured versions gets the calls of both, and one
 * newer or older than all gets those of the two nearest: a call too many is cheap, one too few stops every start.
 * A runtime that nobody measured gets the calls of all. `runtime` may be a containerd name
 * such as `io.containerd.runc.v2`.
 */
export function runtimeBaseFor(facts: {
  readonly runtime: string;
  readonly runtimeVersion: string;
}): RuntimeBase {
  const name = /crun|runc/.exec(facts.runtime)?.[0];
  const own = runtimeBases.filter(({ runtime }) => runtime === name);
  if (own.length === 0) return union(runtimeBases);
  const order = own.map((base) => ({ base, distance: compareVersions(base.version, facts.runtimeVersion) }));
  const exact = order.find(({ distance }) => distance === 0);
  if (exact !== undefined) return exact.base;
  const older = order.filter(({ distance }) => distance < 0).map(({ base }) => base);
  const newer = order.filter(({ distance }) => distance > 0).map(({ base }) => base);
  if (newer.length === 0) return union(older.slice(-2));
  if (older.length === 0) return union(newer.slice(0, 2));
  return union([...older.slice(-1), ...newer.slice(0, 1)]);
}
