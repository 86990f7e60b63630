import { x86_64Syscalls } from '@prof-gen/core';
import { expect, it } from 'vitest';
import { judgedCalls } from './judged-calls.js';

const namesOf = (seccomp?: string): string[] =>
  [...judgedCalls(seccomp)].map((number) => x86_64Syscalls.nameOf(number) ?? '?').sort();

it('are those with argument rules', () => {
  const rule = { index: 0, value: 1, op: 'SCMP_CMP_EQ' };
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [] },
      { names: ['ioctl', 'prctl', 'no_call_of_this_machine'], action: 'SCMP_ACT_ALLOW', args: [rule] },
      { names: ['write'], action: 'SCMP_ACT_ALLOW', args: null },
    ],
  };
  expect(namesOf(JSON.stringify(profile))).toEqual(['ioctl', 'prctl']);
});

it('are known of Docker’s default', () => {
  expect(namesOf()).toEqual(['clone', 'personality', 'socket']);
});

it('are all calls where a profile is not understood', () => {
  expect(judgedCalls('{"syscalls": 1}').size).toBe(x86_64Syscalls.names.length - 1);
  expect(judgedCalls('no JSON').size).toBe(x86_64Syscalls.names.length - 1);
});
