import type { Observation, Profile, ProgramAnalysis } from '@prof-gen/core';
import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { defaultCapabilities } from '../docker/docker-default.js';
import { toDockerProfile } from '../docker/render-docker-profile.js';
import { runtimeBaseFor } from '../runtime/runtime-base-for.js';
import { type BuildProfileInput, buildProfile } from './build-profile.js';
import { parseDockerProfile } from '../docker/parse-docker-profile.js';
import { renderDockerProfile } from '../docker/render-docker-profile.js';
import { expectedDenials, expectedDenialsOf } from './expected-denials.js';

const runtimeBase = runtimeBaseFor({ runtime: 'runc', runtimeVersion: '1.1.5' });
const numberOf = (name: string) => x86_64Syscalls.numberOf(name) as number;

function program(path: string, ...names: string[]): ProgramAnalysis {
  return {
    path,
    sha256: 'ab',
    calledAs: [],
    origin: { kind: 'run-command', chain: [path] },
    objects: [],
    syscalls: names.map((name) => ({
      number: numberOf(name),
      evidence: [{ kind: 'static', program: path, object: '/lib/libc.so.6', function: name, site: '0x10' }],
    })),
    unresolved: [],
  };
}

function observation(path: string, names: readonly string[], denied: readonly string[] = []): Observation {
  return {
    method: 'bpftrace',
    engine: {
      engine: 'docker',
      engineVersion: '20.10',
      runtime: 'runc',
      runtimeVersion: '1.1.5',
      kernel: '6.18',
      cgroupVersion: '1',
    },
    programs: [
      {
        path,
        argvs: [],
        objects: [],
        syscalls: names.map((name) => ({ number: numberOf(name), count: 1, process: 'p', phase: 'start' })),
        phase: 'start',
      },
    ],
    ioUring: false,
    denials: denied.map((name) => ({
      number: numberOf(name),
      name,
      program: path,
      process: 'p',
      phase: 'start',
      errno: 'EPERM',
      count: 1,
      expected: true,
    })),
    phases: [],
  };
}

const build = (input: Partial<BuildProfileInput>): Profile =>
  buildProfile({ programs: [], runtimeBase, dockerDefault: { capabilities: defaultCapabilities }, ...input });

function decision(profile: Profile, name: string) {
  return profile.allowed.find((one) => one.name === name) ?? profile.denied.find((one) => one.name === name);
}

describe('buildProfile', () => {
  it('allows what is needed and the runtime base', () => {
    const profile = build({ programs: [program('/bin/a', 'statx')] });
    expect(decision(profile, 'statx')).toMatchObject({ evidence: [{ kind: 'static', program: '/bin/a' }] });
    expect(decision(profile, 'execve')).toMatchObject({
      evidence: [{ kind: 'runtime-base', version: '1.1.5' }],
    });
    expect(decision(profile, 'restart_syscall')).toMatchObject({ evidence: [{ kind: 'kernel' }] });
    expect(profile.allowed).toHaveLength(runtimeBase.syscalls.length + 2);
  });

  it('says by which tool and file a call was seen that was imported, and by no program where none is known', () => {
    const source = { tool: 'strace', file: 'app.log' } as const;
    const [seen] = observation('/bin/a', ['statx']).programs;
    const imports = [
      {
        source,
        sha256: '',
        programs: seen === undefined ? [] : [seen],
        syscalls: [numberOf('openat2')],
        leftOut: [],
      },
    ];
    const profile = build({ programs: [program('/bin/a', 'read')], imports });
    const common = { kind: 'traced', method: 'import', source };
    expect(decision(profile, 'statx')).toMatchObject({
      evidence: [{ ...common, program: '/bin/a', process: 'p', phase: 'start' }],
    });
    expect(decision(profile, 'openat2')).toMatchObject({
      evidence: [{ ...common, program: '?', process: '?', phase: 'recorded' }],
    });
  });

  it("keeps Docker's denials and says so", () => {
    const needs = { programs: [program('/bin/a', 'mount', 'clone3', 'io_uring_setup')] };
    expect(decision(build(needs), 'mount')).toMatchObject({ errno: 'EPERM', reason: 'docker-default' });
    expect(decision(build(needs), 'clone3')).toMatchObject({ errno: 'ENOSYS', reason: 'fallback' });
    expect(decision(build(needs), 'io_uring_setup')).toMatchObject({
      errno: 'EPERM',
      reason: 'docker-default',
    });
    const alone = build({ ...needs, dockerDefault: undefined });
    for (const name of ['mount', 'clone3', 'io_uring_setup'])
      expect(decision(alone, name)).not.toHaveProperty('errno');
  });

  it("carries Docker's conditions on arguments over", () => {
    const profile = build({ programs: [program('/bin/a', 'clone', 'socket', 'personality')] });
    const rules = toDockerProfile(profile).syscalls.filter(({ args }) => args?.length);
    expect(rules.map(({ names }) => names[0])).toEqual([
      'clone',
      ...Array(5).fill('personality'),
      ...Array(3).fill('socket'),
    ]);
    expect(rules[0]?.args).toEqual([{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]);
    expect(rules.slice(6).map(({ args }) => `${args?.[0]?.op} ${args?.[0]?.value}`)).toEqual([
      'SCMP_CMP_LT 38',
      'SCMP_CMP_EQ 39',
      'SCMP_CMP_GT 40',
    ]);
  });

  it('never names what libseccomp does not know, unless the engine let it through', () => {
    const needs = { programs: [program('/bin/a', 'cachestat', 'futex_waitv')] };
    expect(decision(build(needs), 'cachestat')).toMatchObject({ errno: 'ENOSYS', reason: 'fallback' });
    expect(decision(build({ ...needs, libseccomp: '2.5.4' }), 'futex_waitv')).not.toHaveProperty('errno');
    expect(decision(build({ ...needs, libseccomp: '2.5.4' }), 'cachestat')).toHaveProperty('errno');
    const seen = build({ ...needs, observation: observation('/bin/a', ['cachestat']) });
    expect(decision(seen, 'cachestat')).not.toHaveProperty('errno');
    const rules = toDockerProfile(build(needs)).syscalls;
    expect(rules.flatMap(({ names }) => names)).not.toContain('cachestat');
  });

  it('answers calls newer than Linux 3.2 with ENOSYS and older ones with EPERM', () => {
    const profile = build({});
    const answers = ['kcmp', 'getrandom', 'statx', 'rseq', 'clone3', 'listns'].map((name) =>
      decision(profile, name),
    );
    for (const answer of answers) expect(answer).toMatchObject({ errno: 'ENOSYS', reason: 'not-needed' });
    for (const name of ['open', 'keyctl', 'accept4', 'process_vm_writev']) {
      expect(decision(profile, name)).toMatchObject({ errno: 'EPERM' });
    }
    // In the middle of the table and without a name there: no rule can give another answer than the default one.
    expect(decision(profile, 'uretprobe')).toMatchObject({ errno: 'EPERM' });
    const last = toDockerProfile(profile).syscalls.at(-1);
    expect(last).toMatchObject({ action: 'SCMP_ACT_ERRNO', errnoRet: 38 });
    expect(last?.names).toContain('clone3');
    expect(last?.names).not.toContain('listns');
  });

  it('allows vDSO fallbacks for programs that only the trace knows', () => {
    const seen = { observation: observation('/bin/b', ['read']) };
    expect(decision(build(seen), 'clock_gettime')).toMatchObject({ evidence: [{ kind: 'kernel' }] });
    expect(
      decision(build({ ...seen, programs: [program('/bin/b', 'read')] }), 'clock_gettime'),
    ).toHaveProperty('errno');
  });

  it('allows what somebody asked for, against Docker too', () => {
    const profile = build({ extra: [{ name: 'mount', reason: 'fuse' }] });
    expect(decision(profile, 'mount')).toEqual({
      name: 'mount',
      evidence: [{ kind: 'user', reason: 'fuse' }],
    });
    expect(() => build({ extra: [{ name: 'opne', reason: '' }] })).toThrowError(
      expect.objectContaining({ code: 'usage/syscall' }),
    );
  });

  it('adds what a proof taught', () => {
    const [denial] = observation('/bin/a', [], ['flock']).denials;
    const profile = build({ learned: denial ? [denial] : [] });
    expect(decision(profile, 'flock')).toMatchObject({ evidence: [{ kind: 'learned', phase: 'start' }] });
  });

  it('leaves out numbers that the table lacks', () => {
    const strange = observation('/bin/a', []);
    strange.programs[0]?.syscalls.push({ number: 100000, count: 1, process: 'p', phase: 'start' });
    expect(build({ observation: strange }).allowed).toEqual(
      build({ observation: observation('/bin/a', []) }).allowed,
    );
  });
});

describe('expectedDenials', () => {
  it("tells Docker's denials from defects", () => {
    const profile = build({
      programs: [program('/bin/a', 'clone3', 'socket', 'read')],
      observation: observation('/bin/a', [], ['mount']),
    });
    const ofContainer = { capabilities: [] };
    const own = expectedDenials(profile, ofContainer);
    const ofItsText = expectedDenialsOf(parseDockerProfile(renderDockerProfile(profile)), ofContainer);
    for (const expected of [own, ofItsText]) {
      const isExpected = (name: string, errno = 'EPERM', ...values: string[]): boolean =>
        expected.isExpected({ name, errno }, values.length > 0 ? values : undefined);
      expect(expected.judgedBy.get('socket')).toEqual([0]);
      // Docker's default denies `mount`, and sockets of AF_VSOCK (40).
      expect(isExpected('mount')).toBe(true);
      expect(isExpected('socket', 'EPERM', '0x28')).toBe(true);
      expect(isExpected('socket', 'EPERM', '0x2')).toBe(false);
      expect(isExpected('clone3', 'ENOSYS')).toBe(true);
      expect(isExpected('clone3')).toBe(false);
      expect(isExpected('read')).toBe(false);
      expect(isExpected('getpid', 'ENOSYS')).toBe(false);
      // A number that is no call of Linux.
      expect(isExpected('syscall_1008', 'ENOSYS')).toBe(true);
      expect(isExpected('syscall_1008')).toBe(false);
    }
  });
});
