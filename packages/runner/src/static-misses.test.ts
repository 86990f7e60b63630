import type { Denial, ObservedProgram, ProgramAnalysis } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { staticMisses } from './static-misses.js';

const [read, write, socket, restart] = [0, 1, 41, 219];

const analysed = (path: string, ...numbers: number[]): ProgramAnalysis => ({
  path,
  sha256: 'a'.repeat(64),
  calledAs: [],
  origin: { kind: 'run-command', chain: [path] },
  objects: [],
  syscalls: numbers.map((number) => ({ number, evidence: [] })),
  unresolved: [],
});
const observed = (path: string, ...numbers: number[]): ObservedProgram => ({
  path,
  argvs: [[path]],
  objects: [],
  syscalls: numbers.map((number) => ({ number, count: 1, process: 'p', phase: 'start' })),
  phase: 'start',
});

describe('staticMisses', () => {
  it('holds a program against its own static set, not against that of another', () => {
    const programs = [analysed('/a', read), analysed('/b', read, write)];
    expect(staticMisses(programs, [observed('/a', read, write), observed('/b', write)], [])).toEqual([
      { name: 'write', program: '/a', process: 'p', phase: 'start' },
    ]);
  });

  it('holds a program that was not analysed against the union', () => {
    expect(staticMisses([analysed('/a', read)], [observed('/new', read, socket)], [])).toMatchObject([
      { name: 'socket', program: '/new' },
    ]);
  });

  it('knows that no instruction makes restart_syscall', () => {
    expect(staticMisses([analysed('/a')], [observed('/a', restart)], [])).toEqual([]);
  });

  it('counts a denial once, and not one that was meant', () => {
    const denial = (name: string, expected: boolean): Denial => ({
      name,
      number: 0,
      program: '/a',
      process: 'p',
      phase: 'workload',
      errno: 'EPERM',
      count: 3,
      expected,
    });
    const denials = [denial('socket', false), denial('socket', false), denial('clone3', true)];
    expect(staticMisses([analysed('/a', read)], [], denials).map(({ name }) => name)).toEqual(['socket']);
  });
});
