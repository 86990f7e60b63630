import { type Analysis, type FileTree, outcomeOf, ProfGenError, x86_64Syscalls } from '@prof-gen/core';
import { type MemoryFile, memoryTree } from '@prof-gen/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AnalyzeImageInput, analyzeImage, type FileSummary } from '../src/index.js';
import { summarize } from '../src/summary/summarize.js';
import { diskTree } from '@prof-gen/testkit';

const host = diskTree('/');
const summaries = new Map<string, FileSummary>();

/** An image of a few files of this machine, with what they are linked to. */
const parts = [
  '/lib64/ld-linux-x86-64.so.2',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/x86_64-linux-gnu/libselinux.so.1',
  '/lib/x86_64-linux-gnu/libpcre2-8.so.0',
  '/usr/bin/ls',
  '/usr/bin/id',
  '/usr/bin/true',
  '/usr/bin/dash',
];

async function image(more: Record<string, MemoryFile | string | Uint8Array> = {}): Promise<FileTree> {
  const files: Record<string, MemoryFile | string | Uint8Array> = {};
  for (const path of parts) {
    const found = host.resolve(path);
    if (!found.ok) throw new Error(`this test needs ${path}`);
    files[path] = await host.read(found.entry);
  }
  return memoryTree({ ...files, '/usr/bin/sh': { link: 'dash' }, '/bin': { link: 'usr/bin' }, ...more });
}

function analyze(
  tree: FileTree,
  argv: readonly string[],
  more: Partial<AnalyzeImageInput> = {},
): Promise<Analysis> {
  return analyzeImage({
    tree,
    command: { argv, env: [], workingDir: '/', user: '' },
    healthcheck: [],
    shell: ['/bin/sh', '-c'],
    image: 'test',
    summarize: (file) =>
      outcomeOf(async () => {
        const made = summaries.get(file.sha256) ?? summarize(await file.read());
        summaries.set(file.sha256, made);
        return made;
      }),
    ...more,
  });
}

const names = (analysis: Analysis, program: string): string[] =>
  (analysis.programs.find(({ path }) => path === program)?.syscalls ?? []).map(
    ({ number }) => x86_64Syscalls.nameOf(number) ?? '',
  );

describe('analyzeImage', () => {
  let analysis: Analysis;
  beforeAll(async () => {
    const tree = await image({ '/start': '#!/bin/sh\n[ "$(id -u)" = 0 ] && ls /\n"$X"\nexec "$@"\n' });
    analysis = await analyze(tree, ['/start', 'true'], {
      observed: [
        {
          path: '/usr/bin/true',
          argvs: [],
          objects: ['/lib/x86_64-linux-gnu/libpcre2-8.so.0', '/tmp/jit.so'],
          syscalls: [],
          phase: 'start',
        },
        { path: '/tmp/downloaded', argvs: [], objects: [], syscalls: [], phase: 'start' },
      ],
    });
  });

  it('reads no file whose summary is known', async () => {
    const tree = await image();
    const known = await analyze(
      {
        ...tree,
        read: (entry) => (entry.kind === 'elf' ? Promise.reject(new Error(entry.path)) : tree.read(entry)),
      },
      ['/usr/bin/ls'],
      { known: (sha256) => summaries.get(sha256) },
    );
    expect(known).toEqual(await analyze(tree, ['/usr/bin/ls']));
  });

  it('finds the programs in order, with closures and calls', () => {
    expect(analysis.programs.map(({ path }) => path)).toEqual(
      ['dash', 'id', 'ls', 'true'].map((name) => `/usr/bin/${name}`),
    );
    expect(names(analysis, '/usr/bin/ls')).toEqual(expect.arrayContaining(['getdents64', 'openat', 'write']));
    expect(names(analysis, '/usr/bin/true').length).toBeLessThan(names(analysis, '/usr/bin/ls').length);
    expect(names(analysis, '/usr/bin/dash')).toContain('execve');
    expect(analysis.programs.map(({ calledAs }) => calledAs)).toEqual([['/bin/sh'], [], [], []]);
    expect(analysis.files).toBe(8);
  });

  it('tells what is undecided, and links what the trace saw', () => {
    expect(analysis.undecided).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'command', where: '/start', line: 3 }),
        expect.objectContaining({ kind: 'object', what: '/tmp/downloaded' }),
        expect.objectContaining({ kind: 'object', where: '/usr/bin/true', what: '/tmp/jit.so' }),
      ]),
    );
    expect(analysis.programs[3]?.objects).toContainEqual(
      expect.objectContaining({
        path: '/lib/x86_64-linux-gnu/libpcre2-8.so.0',
        role: 'late',
        reason: 'trace',
      }),
    );
  });

  it('gives the same for the same', async () => {
    const tree = await image();
    const command = ['sh', '-c', 'id; ls; exec true'];
    expect(JSON.stringify(await analyze(tree, command))).toBe(JSON.stringify(await analyze(tree, command)));
  });

  it('loses nothing but a broken file, and fails for a broken first program', async () => {
    const broken = new Uint8Array(100);
    broken.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62]);
    const tree = await image({ '/usr/bin/bad': broken, '/lib/x86_64-linux-gnu/libselinux.so.1': broken });
    const partly = await analyze(tree, ['sh', '-c', 'bad; ls; id']);
    expect(partly.programs.map(({ path }) => path)).toEqual(['/usr/bin/dash', '/usr/bin/ls', '/usr/bin/id']);
    expect(partly.undecided).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'program',
          where: '/usr/bin/bad',
          reason: expect.stringContaining('elf/'),
        }),
        expect.objectContaining({ kind: 'object', what: '/lib/x86_64-linux-gnu/libselinux.so.1' }),
      ]),
    );
    await expect(analyze(tree, ['bad'])).rejects.toThrowError(ProfGenError);
    await expect(analyze(tree, ['bad'])).rejects.toMatchObject({ code: expect.stringMatching(/^elf\//) });
  });
});
