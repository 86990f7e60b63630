import { type Evidence, type ProfileDocument, profileDocumentSchema, x86_64Syscalls } from '@prof-gen/core';

export interface FixtureOptions {
  /** Part of every name in it; may be hostile on purpose. */
  readonly name: string;
  /** Calls that the profile allows. */
  readonly allowed?: number;
  readonly status?: ProfileDocument['status'];
  /** Programs beside the main one, each with reasons of its own for every call; 1 unless said. */
  readonly programs?: number;
}

const engine = {
  engine: 'docker',
  engineVersion: '20.10.24',
  runtime: 'runc',
  runtimeVersion: '1.1.5',
  kernel: '6.1.0',
  cgroupVersion: '1',
};

/** A document with every part filled, valid by its schema; equal options give equal documents. */
export function profileDocumentFixture({
  name,
  allowed = 90,
  status = 'proven',
  programs = 1,
}: FixtureOptions): ProfileDocument {
  const program = `/usr/bin/${name}`;
  const libc = '/lib/x86_64-linux-gnu/libc.so.6';
  const others = Array.from({ length: programs }, (_, index) => `/bin/sh${index === 0 ? '' : index}`);
  const failed = status === 'failed';
  const names = [...x86_64Syscalls.names].sort();
  const open = names.slice(0, allowed);
  const evidence = (call: string, index: number): Evidence[] => {
    const code: Evidence = {
      kind: 'static',
      program,
      object: libc,
      function: `__${call}`,
      site: `0x${(4096 + index).toString(16)}`,
    };
    const trace: Evidence = {
      kind: 'traced',
      program,
      process: name.slice(0, 15),
      phase: 'start',
      method: 'bpftrace',
    };
    const further = others.slice(1).map((other) => ({ ...code, program: other }));
    return index % 4 === 0
      ? [code, ...further]
      : index % 4 === 1
        ? [code, trace]
        : index % 4 === 2
          ? [code, trace, { kind: 'runtime-base', runtime: 'runc', version: '1.1.5' }]
          : index % 8 === 3
            ? [trace]
            : [{ kind: 'kernel', reason: 'after a signal' }];
  };
  const denial = {
    number: 41,
    name: 'socket',
    program,
    process: name.slice(0, 15),
    phase: 'workload',
    errno: 'EPERM',
    count: 3,
    expected: !failed,
  };
  const phases = [
    { name: 'start', steps: [{ name: `${name} is ready`, passed: true, detail: '' }] },
    {
      name: 'workload',
      steps: [{ name: 'round trip', passed: !failed, detail: failed ? `expected PONG, got ${name}` : '' }],
    },
  ];
  return profileDocumentSchema.parse({
    schemaVersion: 1,
    tool: { name: 'prof-gen', version: '0.1.0', analyzer: '1', reachability: 'objects' },
    status,
    image: {
      reference: `docker.io/library/${name}:1`,
      digest: `sha256:${'ab'.repeat(32)}`,
      platform: 'linux/amd64',
    },
    command: [program, '--config', `/etc/${name}.conf`],
    programs: [
      {
        path: program,
        calledAs: ['/usr/bin/server'],
        sha256: 'cd'.repeat(32),
        origin: { kind: 'run-command', chain: ['/entrypoint.sh', program] },
        objects: [
          { path: program, sha256: 'cd'.repeat(32), role: 'program' },
          { path: libc, sha256: 'ef'.repeat(32), role: 'needed' },
          { path: '/usr/lib/module.so', sha256: '01'.repeat(32), role: 'late', reason: `named in ${name}` },
        ],
        syscalls: open.slice(0, 70),
        traced: open.slice(40, 75),
      },
      ...others.map((path, index) => ({
        path,
        calledAs: [],
        sha256: '23'.repeat(32),
        origin: { kind: 'script', script: '/entrypoint.sh', line: 3 + index },
        objects: [],
        syscalls: open.slice(0, 20),
        traced: [],
      })),
    ],
    syscalls: open.map((call, index) => ({
      name: call,
      ...(call === 'clone'
        ? { when: [[{ index: 0, op: 'masked-eq', value: '0', mask: '2114060288' }]] }
        : {}),
      evidence: evidence(call, index),
    })),
    unresolved: [
      { program, object: program, function: '+0x1a2b', site: '0x1a40', reason: `number comes from ${name}` },
    ],
    undecided: [
      { kind: 'command', where: '/entrypoint.sh', line: 12, what: `exec "$${name}"`, reason: 'not constant' },
    ],
    denied: names.slice(allowed).map((call, index) => ({
      name: call,
      errno: index === 0 ? 'ENOSYS' : 'EPERM',
      reason: index === 0 ? 'fallback' : index === 1 ? 'docker-default' : 'not-needed',
      evidence: index < 2 ? evidence(call, 0) : [],
    })),
    staticMisses: failed ? [{ name: 'socket', program, process: name.slice(0, 15), phase: 'workload' }] : [],
    observation: { method: 'bpftrace', engine, ioUring: false, phases, denials: [] },
    proof: { status: failed ? 'failed' : 'passed', workload: `${name}.yaml`, phases, denials: [denial] },
    stats: {
      programs: 1 + programs,
      files: 4,
      static: Math.round(allowed * 0.8),
      traced: 35,
      allowed,
      dockerDefault: 304,
      denied: names.length - allowed,
      table: names.length,
    },
  });
}
