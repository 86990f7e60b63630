import type { LibraryGraph, LineFacts } from '@prof-gen/core';
import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { alwaysAllowed, allowedToJava } from './always-allowed.js';
import { cLibraryOf, searchedForDirectCalls } from './c-library-files.js';
import { confineFiles } from './confine-files.js';
import { type ConfineFile, type ConfineSteps, confineMethod, confineSteps } from './confine-method.js';

const number = (name: string): number => x86_64Syscalls.numberOf(name) ?? -1;
const facts = (part: Partial<LineFacts>): LineFacts => ({
  imports: [],
  weakImports: [],
  direct: [],
  undecided: 0,
  go: false,
  ...part,
});
/** `fopen` calls open's code and takes the address of a function that maps memory; `crash` is asked for weakly. */
const graph: LibraryGraph = [
  { exports: ['fopen'], calls: [1], takes: [2], imports: ['other'], syscalls: [] },
  { exports: [], calls: [], takes: [], imports: [], syscalls: [number('creat')] },
  { exports: [], calls: [], takes: [], imports: [], syscalls: [number('mremap')] },
  { exports: ['crash'], calls: [0], takes: [], imports: [], syscalls: [number('reboot')] },
];
const second: LibraryGraph = [
  { exports: ['other'], calls: [0], takes: [], imports: ['fopen'], syscalls: [number('shmget')] },
];
const files: ConfineFile[] = [
  {
    path: '/usr/bin/server',
    facts: facts({
      imports: ['fopen'],
      weakImports: ['crash'],
      direct: [number('keyctl'), 5000],
      undecided: 1,
    }),
  },
  { path: '/lib/libc.so.6', facts: facts({ direct: [number('acct')], undecided: 7 }), graph },
  { path: '/lib/libpthread.so.0', facts: facts({}), graph: second },
  { path: '/usr/sbin/gosu', facts: facts({ direct: [number('bpf')] }) },
];
const decided = x86_64Syscalls.names.filter((name) => number(name) < 330);
const found = (steps: Partial<ConfineSteps> = {}, more: Partial<Parameters<typeof confineMethod>[0]> = {}) =>
  confineMethod({ files, decided, steps, ...more });

describe('confineMethod', () => {
  it('allows what stands near instructions and what imports lead to, and what it always allows', () => {
    const { allowed, denied, direct, imported, undecided, unreadable } = found();
    expect(direct).toEqual(['keyctl']);
    expect(imported).toEqual(['creat', 'mremap', 'shmget']);
    expect(undecided).toBe(1);
    expect(unreadable).toEqual([]);
    expect(denied).toEqual(expect.arrayContaining(['acct', 'bpf', 'reboot', 'ptrace']));
    expect(allowed).toEqual(
      expect.arrayContaining(['keyctl', 'creat', 'mremap', 'shmget', ...alwaysAllowed, 'io_uring_setup']),
    );
    expect([...allowed, ...denied].sort()).toEqual([...x86_64Syscalls.names].sort());
  });

  it('has every step by itself, and each one only ever allows more', () => {
    const steps = Object.keys(confineSteps) as (keyof ConfineSteps)[];
    const nothing = Object.fromEntries(steps.map((step) => [step, false])) as unknown as ConfineSteps;
    const input = { files: [...files, { path: '/opt/bin/java', facts: facts({}) }], handMade: ['ioperm'] };
    for (let chosen = 0; chosen < 2 ** steps.length; chosen += 1) {
      const on = Object.fromEntries(steps.map((step, i) => [step, (chosen & (1 << i)) !== 0]));
      const open = new Set(found({ ...nothing, ...on }, input).allowed);
      for (const [i, step] of steps.entries()) {
        if ((chosen & (1 << i)) !== 0) continue;
        const more = new Set(found({ ...nothing, ...on, [step]: true }, input).allowed);
        expect(
          [...open].filter((name) => !more.has(name)),
          step,
        ).toEqual([]);
      }
    }
    expect(found(nothing, input).denied).toEqual([...decided].sort());
  });

  it('follows addresses, weak imports, Java and lists made by hand when asked to', () => {
    expect(found({ addressTaken: false }).imported).toEqual(['creat', 'shmget']);
    expect(found({ weakImports: true }).imported).toContain('reboot');
    const java = [...files, { path: '/opt/bin/java', facts: facts({}) }];
    expect(found({}, { files: java }).allowed).toEqual(expect.arrayContaining([...allowedToJava]));
    expect(found({}, { handMade: ['ioperm'] }).denied).not.toContain('ioperm');
  });

  it("takes musl's call graph where there is a file of musl's, and says what could not be read", () => {
    const musl: LibraryGraph = [
      { exports: ['fopen'], calls: [], takes: [], imports: [], syscalls: [number('pause')] },
    ];
    const mixed = [
      ...files,
      { path: '/lib/ld-musl-x86_64.so.1', facts: facts({}), graph: musl },
      { path: '/x' },
    ];
    expect(found({}, { files: mixed })).toMatchObject({ imported: ['pause'], unreadable: ['/x'] });
  });

  it('names only calls that exist', () => {
    expect([...alwaysAllowed, ...allowedToJava].filter((name) => number(name) < 0)).toEqual([]);
    expect(new Set(alwaysAllowed).size).toBe(alwaysAllowed.length);
  });
});

describe('the names of files', () => {
  it.each([
    ['/lib/x86_64-linux-gnu/libc.so.6', 'glibc', false],
    ['/lib/libc-2.31.so', 'glibc', false],
    ['/lib/libpthread.so.0', 'glibc', false],
    ['/lib/libnss_files-2.31.so', 'glibc', false],
    ['/lib/ld-musl-x86_64.so.1', 'musl', false],
    ['/lib64/ld-linux-x86-64.so.2', undefined, false],
    ['/usr/lib/libcrypto.so.3', undefined, true],
    ['/usr/lib/libmount.so.1', undefined, true],
    ['/usr/lib/libcap.so.2', undefined, true],
    ['/usr/sbin/gosu', undefined, false],
    ['/usr/sbin/nginx', undefined, true],
  ])('%s: %s, searched: %s', (path, library, searched) => {
    expect(cLibraryOf(path)).toBe(library);
    expect(searchedForDirectCalls(path)).toBe(searched);
  });
});

describe('confineFiles', () => {
  const object = (path: string, role: 'program' | 'interpreter' | 'needed' | 'late' | 'late-needed') => ({
    path,
    role,
    sha256: `hash of ${path}`,
  });
  const programs = [
    {
      path: '/server',
      objects: [
        object('/server', 'program'),
        object('/ld.so', 'interpreter'),
        object('/libc.so.6', 'needed'),
        object('/mapped.so', 'late'),
        object('/never.so', 'late'),
      ],
    },
    { path: '/sh', objects: [object('/sh', 'program'), object('/libtinfo.so', 'needed')] },
  ];

  it('takes what ran by itself, with what is linked and mapped, without the loader', () => {
    const observed = [
      { path: '/server', objects: ['/mapped.so', '/ld.so'], phase: 'start' },
      { path: '/sh', objects: [], phase: 'shell' },
    ];
    const { basis, programs: chosen, files: found } = confineFiles(programs, observed);
    expect({ basis, chosen, found: [...found.keys()].sort() }).toEqual({
      basis: 'trace',
      chosen: ['/server'],
      found: ['/libc.so.6', '/mapped.so', '/server'],
    });
  });

  it('takes what static analysis found where there is no trace', () => {
    const { basis, files: found } = confineFiles(programs);
    expect({ basis, found: [...found.keys()].sort() }).toEqual({
      basis: 'static',
      found: ['/libc.so.6', '/libtinfo.so', '/server', '/sh'],
    });
  });
});
