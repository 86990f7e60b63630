import { describe, expect, it } from 'vitest';
import { bpfProgram } from './bpf-program.js';
import { subsystemOf } from './kernel-facts.js';
import { messageOf } from './message.js';

const controller = { pid: 4711, magic: 123456789 };
const v1 = bpfProgram({
  kernel: { cgroup: { version: 1, subsystem: 4 }, cgroupNamePrefix: '', hostMountNamespaces: [4026531832] },
  controller,
});
const v2 = bpfProgram({
  kernel: {
    cgroup: { version: 2 },
    cgroupNamePrefix: 'docker-',
    hostMountNamespaces: [4026531832, 4026532000],
  },
  controller,
});

describe('the tracing program', () => {
  it('is the same for the same kernel', async () => {
    await expect(v1).toMatchFileSnapshot('./__golden__/cgroup-v1.bt');
    await expect(v2).toMatchFileSnapshot('./__golden__/cgroup-v2-systemd.bt');
  });

  it('finds the container by its cgroup’s name, after the driver’s prefix', () => {
    expect(v1).toContain('curtask->cgroups->subsys[4]->cgroup->kn');
    expect(v1).toContain('$node->name + 0), *(uint64*)((uint64)$node->name + 8)');
    expect(v2).toContain('curtask->cgroups->dfl_cgrp->kn');
    expect(v2).toContain('$node->name + 7), *(uint64*)((uint64)$node->name + 15)');
  });

  it('prints text of a container as digits only', () => {
    const formats = [...v1.matchAll(/printf\("([^"]*)"/g)].map(([, format]) => format);
    expect(formats.length).toBeGreaterThan(10);
    expect(formats.filter((format) => format?.includes('%s'))).toEqual([]);
  });
});

it('takes the first controller that the kernel has switched on', () => {
  const types =
    'enum cgroup_subsys_id {\n\tcpuset_cgrp_id = 0,\n\tmemory_cgrp_id = 4,\n\tdevices_cgrp_id = 5,\n}';
  const row = (name: string, hierarchy: number, on: number): string => `${name}\t${hierarchy}\t3\t${on}`;
  expect(subsystemOf(types, [row('memory', 4, 1), row('devices', 5, 1)].join('\n'))).toBe(4);
  expect(subsystemOf(types, [row('memory', 4, 0), row('devices', 5, 1)].join('\n'))).toBe(5);
  expect(subsystemOf(types, row('cpuset', 3, 1))).toBeUndefined();
});

it('writes an order as five words', () => {
  const message = Buffer.from(messageOf(77, 'watch', 3, 9, '0123456789abcdef0123'));
  expect([0, 8, 16, 24].map((at) => Number(message.readBigUInt64LE(at)))).toEqual([77, 1, 3, 9]);
  expect(message.toString('latin1', 32)).toBe('0123456789abcdef');
});
