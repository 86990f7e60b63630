import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { rulesHold } from '../arguments/argument-rules.js';
import {
  defaultCapabilities,
  dockerDefaultAllows,
  dockerDefaultFor,
  mobyDefaultProfile,
} from './docker-default.js';
import { formatDockerProfile, parseDockerProfile } from './parse-docker-profile.js';

const usual = { capabilities: defaultCapabilities };

describe("Docker's default profile", () => {
  it('is read whole', () => {
    const profile = mobyDefaultProfile();
    expect(profile.archMap).toHaveLength(9);
    expect(parseDockerProfile(formatDockerProfile(profile))).toEqual(profile);
  });

  it.each([
    'keyctl',
    'mount',
    'bpf',
    'io_uring_setup',
    'userfaultfd',
    'kexec_load',
    'clone3',
    'setns',
    'open_by_handle_at',
  ])('denies %s to a usual container', (name) => {
    expect(dockerDefaultAllows(usual).has(name)).toBe(false);
  });

  it.each(['read', 'chroot', 'ptrace', 'arch_prctl', 'clone', 'socket', 'personality', 'statx', 'mseal'])(
    'allows %s',
    (name) => {
      expect(dockerDefaultAllows(usual).has(name)).toBe(true);
    },
  );

  it('names only calls of the table', () => {
    for (const name of dockerDefaultAllows(usual)) expect(x86_64Syscalls.numberOf(name)).toBeTypeOf('number');
  });

  it('keeps conditions on arguments', () => {
    const { allowed } = dockerDefaultFor(usual);
    const clone = (flags: bigint) => rulesHold(allowed.get('clone'), [flags]);
    expect(clone(0x3d0f00n)).toBe(true); // pthread_create
    expect(clone(0x10000000n)).toBe(false); // CLONE_NEWUSER
    const socket = (family: bigint) => rulesHold(allowed.get('socket'), [family]);
    // AF_UNIX, AF_INET, AF_ALG, AF_NFC, AF_VSOCK, AF_XDP
    expect([1n, 2n, 38n, 39n, 40n, 44n].map(socket)).toEqual([true, true, false, true, false, true]);
    const personality = (persona: bigint) => rulesHold(allowed.get('personality'), [persona]);
    expect([0n, 8n, 0x40000n, 0xffffffffn].map(personality)).toEqual([true, true, false, true]);
  });

  it('goes by capabilities', () => {
    const admin = dockerDefaultFor({ capabilities: [...defaultCapabilities, 'SYS_ADMIN'] });
    expect(admin.allowed.has('mount')).toBe(true);
    expect(admin.allowed.has('clone3')).toBe(true);
    expect(admin.allowed.get('clone')).toBeUndefined();
    expect(dockerDefaultAllows({ capabilities: [] }).has('chroot')).toBe(false);
  });

  it('goes by the kernel', () => {
    expect(dockerDefaultAllows({ ...usual, kernel: '4.4.0-210-generic' }).has('ptrace')).toBe(false);
    expect(dockerDefaultAllows({ ...usual, kernel: '4.8.0' }).has('ptrace')).toBe(true);
    expect(dockerDefaultAllows({ ...usual, kernel: '6.18.5' }).has('ptrace')).toBe(true);
  });

  it('answers ENOSYS to clone3 and to what is newer than all its names', () => {
    const { answerTo } = dockerDefaultFor(usual);
    expect(['clone3', 'listns', 'keyctl', 'io_uring_setup'].map(answerTo)).toEqual([
      'ENOSYS',
      'ENOSYS',
      'EPERM',
      'EPERM',
    ]);
  });
});

describe('parseDockerProfile', () => {
  it.each([
    ['{', 'profile/not-json'],
    ['[]', 'profile/invalid'],
    ['{"defaultAction":"SCMP_ACT_ERRNO"}', 'profile/invalid'],
    ['{"defaultAction":"DENY","syscalls":[]}', 'profile/invalid'],
    [
      '{"defaultAction":"SCMP_ACT_ERRNO","architectures":["A"],"archMap":[{"architecture":"A"}],"syscalls":[]}',
      'profile/invalid',
    ],
    [
      '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":9007199254740993,"op":"SCMP_CMP_EQ"}]}]}',
      'profile/invalid',
    ],
  ])('refuses %s', (text, code) => {
    expect(() => parseDockerProfile(text)).toThrowError(expect.objectContaining({ code }));
  });
});
