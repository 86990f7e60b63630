import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { ProfGenError } from '@prof-gen/core';
import { slower } from './slower-way.js';

/** What the tracing program has to be generated for. */
export interface KernelFacts {
  /** cgroup v1: position of the controller in `css_set.subsys`, a build-time choice of the kernel. */
  readonly cgroup: { readonly version: 1; readonly subsystem: number } | { readonly version: 2 };
  /** What stands before the container id in its cgroup's name: empty (cgroupfs) or `docker-` (systemd). */
  readonly cgroupNamePrefix: string;
  /**
   * Mount namespaces of the host, the engine and its shims. An exec in any other one, inside a container's cgroup, is
   * the container's: what the runtime executes for itself happens in these.
   */
  readonly hostMountNamespaces: readonly number[];
}

/** Controllers that the engine always gives a container a cgroup in; the first that the kernel has is taken. */
const controllers = ['memory', 'devices', 'pids', 'freezer'];

/**
 * Position of the first usable controller.
 * @param enumText `enum cgroup_subsys_id` as bpftrace prints it from the kernel's BTF
 * @param procCgroups /proc/cgroups: name, hierarchy, number of cgroups, enabled (cgroups(7))
 */
export function subsystemOf(enumText: string, procCgroups: string): number | undefined {
  const enabled = new Set(
    procCgroups
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([, hierarchy, , on]) => on === '1' && hierarchy !== '0')
      .map(([name]) => name),
  );
  for (const controller of controllers) {
    const index = new RegExp(`\\b${controller}_cgrp_id = (\\d+)`).exec(enumText)?.[1];
    if (index !== undefined && enabled.has(controller)) return Number(index);
  }
  return undefined;
}

function mountNamespace(pid: string): number | undefined {
  try {
    const inode = /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

function hostMountNamespaces(): number[] {
  const found = new Set<number>();
  const add = (pid: string): void => {
    const namespace = mountNamespace(pid);
    if (namespace !== undefined) found.add(namespace);
  };
  add('self');
  add('1');
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (/^(dockerd|containerd)/.test(readFileSync(`/proc/${pid}/comm`, 'latin1'))) add(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * @throws ProfGenError `environment/btf`, `environment/cgroup`
 */
export async function readKernelFacts(engine: {
  readonly cgroupVersion: string;
  readonly cgroupDriver: string;
}): Promise<KernelFacts> {
  const common = {
    cgroupNamePrefix: engine.cgroupDriver === 'systemd' ? 'docker-' : '',
    hostMountNamespaces: hostMountNamespaces(),
  };
  if (engine.cgroupVersion === '2') return { cgroup: { version: 2 }, ...common };
  const { stdout } = await promisify(execFile)('bpftrace', ['-lv', 'enum cgroup_subsys_id'], {
    timeout: 120_000,
  }).catch((cause: unknown) => {
    throw new ProfGenError('environment/btf', 'bpftrace cannot read the types of this kernel', {
      hint: `tracing needs a kernel built with CONFIG_DEBUG_INFO_BTF; ${slower}`,
      causes: [cause],
    });
  });
  const subsystem = subsystemOf(stdout, readFileSync('/proc/cgroups', 'utf8'));
  if (subsystem === undefined) {
    throw new ProfGenError('environment/cgroup', 'no cgroup controller tells the containers apart', {
      hint: `enable one of ${controllers.join(', ')} in the kernel; ${slower}`,
    });
  }
  return { cgroup: { version: 1, subsystem }, ...common };
}
