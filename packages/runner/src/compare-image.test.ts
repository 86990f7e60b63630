import { lineFacts } from '@prof-gen/analyzer';
import { summarizeWithDetail } from '@prof-gen/analyzer/summarize';
import {
  type Analysis,
  comparisonLines,
  imageComparisonSchema,
  type Observation,
  type ProgramAnalysis,
  type Proof,
  x86_64Syscalls,
} from '@prof-gen/core';
import { buildProfile, defaultCapabilities } from '@prof-gen/profile';
import { buildElf, CODE, memoryTree } from '@prof-gen/testkit';
import { expect, it } from 'vitest';
import { comparedReachabilities, compareImage } from './compare-image.js';
import { loadLineDatasets } from './line-datasets.js';

const number = (name: string): number => x86_64Syscalls.numberOf(name) ?? -1;
/** mov eax, NUMBER; syscall; ret */
const calling = (name: string): number[] => [
  0xb8,
  number(name) & 0xff,
  number(name) >> 8,
  0,
  0,
  0x0f,
  0x05,
  0xc3,
];

const libc = buildElf({
  code: Uint8Array.from([...calling('sync'), ...calling('pause')]),
  soname: 'libc.so.6',
  symbols: [
    { name: 'sync', address: CODE, size: 8, kind: 'function' },
    { name: 'pause', address: CODE + 8, size: 8, kind: 'function' },
  ],
});
const server = buildElf({
  code: Uint8Array.from(calling('keyctl')),
  needed: ['libc.so.6'],
  symbols: [{ name: 'sync' }, { name: 'pause', weak: true }],
});
const tree = memoryTree({
  '/server': server,
  '/lib/libc.so.6': libc,
  '/usr/sbin/runuser': '\u007fELF no file',
});
const digestOf = (path: string): string => tree.lookup(path)?.digest?.slice('sha256:'.length) ?? '';
const program = (...names: string[]): ProgramAnalysis => ({
  path: '/server',
  sha256: digestOf('/server'),
  calledAs: [],
  origin: { kind: 'run-command', chain: ['/server'] },
  objects: [
    { path: '/server', sha256: digestOf('/server'), role: 'program' },
    { path: '/lib/libc.so.6', sha256: digestOf('/lib/libc.so.6'), role: 'needed' },
  ],
  syscalls: names.map((name) => ({
    number: number(name),
    evidence: [{ kind: 'static', program: '/server', object: '/server', function: 'f', site: '0x1' }],
  })),
  unresolved: [],
});
const analysis: Analysis = {
  analyzerVersion: '1',
  reachability: 'objects',
  programs: [program('read', 'mount')],
  undecided: [],
  files: 2,
};
const engine = {
  engine: 'docker',
  engineVersion: '20',
  runtime: 'runc',
  runtimeVersion: '1',
  kernel: '6.1.0',
  cgroupVersion: '1',
};
const seen = (name: string) => ({ number: number(name), count: 1, process: 'server', phase: 'start' });
const ran = { path: '/server', argvs: [], objects: [], phase: 'start' };
const observation: Observation = {
  method: 'bpftrace',
  engine,
  programs: [{ ...ran, syscalls: [seen('read'), seen('times')] }],
  ioUring: false,
  denials: [],
  phases: [],
};
const proof: Proof = {
  status: 'passed',
  workload: 'w',
  engine,
  phases: [],
  denials: [],
  programs: [{ ...ran, syscalls: [seen('sync')] }],
};
const runtimeBase = { runtime: 'runc', version: '1', source: 'test', syscalls: ['close'] };
const container = { capabilities: defaultCapabilities };
const datasets = await loadLineDatasets();
const compared = (more: { observation?: Observation; proof?: Proof } = {}) =>
  compareImage({
    tree,
    analysis,
    others: new Map(comparedReachabilities.map((kind) => [kind, [program('read', 'mount', 'acct')]])),
    learned: [],
    profile: buildProfile({ programs: analysis.programs, runtimeBase, dockerDefault: container, ...more }),
    runtimeBase,
    container,
    summarizer: {
      lineFacts: async (file) => ({ ok: true, value: lineFacts(await file.read()) }),
      detail: async (file) => ({ ok: true, value: summarizeWithDetail(await file.read()).detail }),
    },
    datasets,
    ...more,
  });

it('makes every line from one analysis and one trace', async () => {
  const comparison = await compared({ observation, proof });
  expect(imageComparisonSchema.parse(comparison)).toEqual(comparison);
  expect(comparison.lines.map(({ line }) => line)).toEqual([...comparisonLines]);
  const of = (line: string) => comparison.lines.find((one) => one.line === line)?.allowed ?? [];
  expect(of('prof-gen')).toEqual(['close', 'read', 'restart_syscall', 'times']);
  expect(of('needed')).toEqual(['close', 'mount', 'read', 'restart_syscall', 'times']);
  expect(of('imports')).toEqual(['acct', 'close', 'mount', 'read', 'restart_syscall']);
  expect(of('trace')).toEqual(['close', 'read', 'restart_syscall', 'times']);
  expect(comparison).toMatchObject({
    language: 'C/C++',
    libc: 'glibc',
    confine: { basis: 'trace', programs: ['/server'], direct: ['keyctl'], imported: ['sync'], java: false },
    observed: [
      { name: 'read', program: '/server', phase: 'start' },
      { name: 'times', program: '/server', phase: 'start' },
    ],
    proof: { status: 'passed', seen: [{ name: 'sync' }], denied: [] },
  });
  // A file that cannot be read is named, and costs nothing else.
  expect(comparison.confine.unreadable).toEqual(['/usr/sbin/runuser']);
  expect(of('confine')).toEqual(expect.arrayContaining(['keyctl', 'sync', 'io_uring_setup']));
  expect(of('confine')).not.toContain('pause');
});

it('works without an engine: no trace, no line of it, and the programs of static analysis', async () => {
  const { lines, confine, observed, proof: proven } = await compared();
  expect(lines.map(({ line }) => line)).toEqual(comparisonLines.filter((line) => line !== 'trace'));
  expect({ basis: confine.basis, observed, proven }).toEqual({ basis: 'static' });
});
