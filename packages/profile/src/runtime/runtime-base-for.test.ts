import { runtimeBaseSchema, x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { runtimeBaseFor, runtimeBases } from './runtime-base-for.js';

const versionFor = (runtime: string, runtimeVersion: string) =>
  runtimeBaseFor({ runtime, runtimeVersion }).version;

describe('runtimeBaseFor', () => {
  it('has valid data: known calls, sorted, each version once', () => {
    for (const base of runtimeBases) {
      expect(runtimeBaseSchema.parse(base)).toEqual(base);
      expect(base.syscalls).toEqual([...new Set(base.syscalls)].sort());
      for (const name of base.syscalls) expect(x86_64Syscalls.numberOf(name), name).toBeTypeOf('number');
    }
    expect(new Set(runtimeBases.map(({ runtime, version }) => `${runtime} ${version}`)).size).toBe(
      runtimeBases.length,
    );
  });

  it.each([
    ['runc', '1.1.5', '1.1.5'],
    ['runc', '1.1.5+ds1', '1.1.5'],
    ['io.containerd.runc.v2', '1.4.2', '1.4.2'],
    ['runc', '1.2.0', '1.1.5 or 1.4.2'],
    ['runc', '1.9.0', '1.1.5 or 1.4.2'],
    ['runc', '1.0.0', '1.1.5 or 1.4.2'],
    ['crun', '1.8.1', '1.26'],
    ['runsc', '2026', 'crun 1.26 or runc 1.1.5 or runc 1.4.2'],
    ['runc', '', '1.1.5 or 1.4.2'],
  ])('%s %s has the calls of %s', (runtime, version, expected) => {
    expect(versionFor(runtime, version)).toBe(expected);
  });

  it('gives a version in between the calls of both neighbours', () => {
    const between = runtimeBaseFor({ runtime: 'runc', runtimeVersion: '1.3.0' }).syscalls;
    for (const { syscalls } of runtimeBases.filter(({ runtime }) => runtime === 'runc')) {
      expect(between).toEqual(expect.arrayContaining(syscalls));
    }
  });
});
