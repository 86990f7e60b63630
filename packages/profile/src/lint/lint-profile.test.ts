import type { Profile } from '@prof-gen/core';
import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { buildProfile } from '../build/build-profile.js';
import { runtimeBaseFor } from '../runtime/runtime-base-for.js';
import { lintProfile } from './lint-profile.js';
import { twinSyscalls } from './twin-syscalls.js';

const good = (): Profile =>
  buildProfile({ programs: [], runtimeBase: runtimeBaseFor({ runtime: 'runc', runtimeVersion: '1.1.5' }) });
const codes = (profile: Profile) => lintProfile(profile).map(({ code }) => code);
const without = (profile: Profile, name: string, errno: 'EPERM' | 'ENOSYS'): Profile => ({
  ...profile,
  allowed: profile.allowed.filter((one) => one.name !== name),
  denied: [
    ...profile.denied.filter((one) => one.name !== name),
    { name, errno, reason: 'not-needed', evidence: [] },
  ],
});

describe('lintProfile', () => {
  it('finds only twins in a built profile', () => {
    expect(new Set(codes(good()))).toEqual(new Set(['lint/missing-twin']));
    expect(lintProfile(good())).toContainEqual(
      expect.objectContaining({ severity: 'note', syscalls: ['creat', 'open', 'openat2'] }),
    );
  });

  it('finds that nothing can start', () => {
    expect(lintProfile(without(good(), 'execve', 'EPERM'))[0]).toMatchObject({
      code: 'lint/runtime-base',
      severity: 'error',
      syscalls: ['execve'],
    });
  });

  it('finds clone3 with the wrong answer', () => {
    expect(codes(without(good(), 'clone3', 'EPERM'))).toContain('lint/clone3-eperm');
    expect(codes(without(good(), 'clone3', 'ENOSYS'))).not.toContain('lint/clone3-eperm');
  });

  it('finds calls that are decided twice, not at all, or unknown', () => {
    const profile = good();
    expect(codes({ ...profile, denied: profile.denied.slice(1) })).toContain('lint/not-covered');
    expect(codes({ ...profile, allowed: [...profile.allowed, { name: 'acct', evidence: [] }] })).toContain(
      'lint/not-covered',
    );
    const strange = { ...profile, allowed: [...profile.allowed, { name: 'opne', evidence: [] }] };
    expect(codes(strange)).toEqual(expect.arrayContaining(['lint/unknown-name', 'lint/libseccomp']));
  });

  it('finds rules that seccomp cannot check', () => {
    const profile = good();
    const when = [
      [
        { index: 0, op: 'ge' as const, value: '1' },
        { index: 0, op: 'le' as const, value: '100' },
      ],
    ];
    profile.allowed = profile.allowed.map((one) => (one.name === 'prctl' ? { ...one, when } : one));
    expect(codes(profile)).toContain('lint/argument-rule');
  });

  it('knows only twins that exist', () => {
    for (const name of twinSyscalls.flat()) expect(x86_64Syscalls.numberOf(name), name).toBeTypeOf('number');
  });
});
