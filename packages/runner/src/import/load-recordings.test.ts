import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syscallName, x86_64Syscalls } from '@prof-gen/core';
import { memoryTree } from '@prof-gen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importedRecording, joinedPrograms } from './imported-recording.js';
import { loadRecordings, type RecordingLimits } from './load-recordings.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-import-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
const tree = memoryTree({
  '/bin': { link: 'usr/bin' },
  '/usr/bin/sh': { link: 'dash' },
  '/usr/bin/dash': { content: elf },
  '/usr/bin/server': { content: elf },
  '/run.sh': { content: '#!/bin/sh -e\n' },
});
const write = (name: string, text: string): string => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};
async function read(files: readonly string[], limits?: RecordingLimits) {
  const recordings = await loadRecordings(files, limits);
  const imported = await Promise.all(recordings.map((recording) => importedRecording(recording, tree)));
  const names = (numbers: readonly number[]) => numbers.map((n) => syscallName(x86_64Syscalls, n)).sort();
  return imported.map(({ source, programs, syscalls, leftOut }) => ({
    tool: source.tool,
    file: source.file.slice(directory.length + 1),
    programs: Object.fromEntries(programs.map((one) => [one.path, names(one.syscalls.map((s) => s.number))])),
    argvs: programs.flatMap(({ argvs }) => argvs),
    syscalls: names(syscalls),
    leftOut,
  }));
}

const hook = {
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  syscalls: [
    { names: ['write', 'read', 'waitpid'], action: 'SCMP_ACT_ALLOW', args: [], includes: {}, excludes: {} },
    { names: ['mount'], action: 'SCMP_ACT_ERRNO', args: [] },
  ],
};
const operator = `apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: { name: recorded }
spec:
  architectures: [SCMP_ARCH_X86_64]
  defaultAction: SCMP_ACT_ERRNO
  syscalls:
    - action: SCMP_ACT_ALLOW
      names: [openat, close]
`;

describe('recordings of other tools', () => {
  it('reads a log of strace -f: programs by the image’s own files', async () => {
    const file = write(
      'app.log',
      [
        '7 execve("/run.sh", ["run.sh", "x"], 0x7ffd /* 3 vars */) = 0',
        '7 execve("/usr/bin/server", ["server"], 0x7ffd /* 3 vars */) = 0',
        '7 getpid() = 7',
      ].join('\n'),
    );
    expect(await read([file])).toEqual([
      {
        tool: 'strace',
        file: 'app.log',
        programs: { '/usr/bin/dash': ['execve'], '/usr/bin/server': ['getpid'] },
        argvs: [['/bin/sh', '-e', '/run.sh', 'x'], ['server']],
        syscalls: [],
        leftOut: [],
      },
    ]);
  });

  it('joins the files of strace -ff, in whatever order they come', async () => {
    const parent = write(
      'set.7',
      'execve("/bin/sh", ["sh"], 0x1 /* 1 var */) = 0\nvfork() = 12\nwait4(-1, 0x1, 0, NULL) = 12\n',
    );
    const child = write(
      'set.12',
      'setsid() = 12\nexecve("/usr/bin/server", ["server"], 0x1 /* 1 var */) = 0\ngetpid() = 12\n+++ exited with 0 +++\n',
    );
    for (const order of [
      [parent, child],
      [child, parent],
    ]) {
      expect(await read(order)).toMatchObject([
        {
          file: 'set.*',
          programs: {
            '/usr/bin/dash': ['execve', 'setsid', 'vfork', 'wait4'],
            '/usr/bin/server': ['getpid'],
          },
          syscalls: [],
        },
      ]);
    }
  });

  it('keeps calls whose program nothing tells apart', async () => {
    const file = write('attached.log', '[pid 9] read(3, "", 1) = 0\n[pid 9] futex_time64(0x1, 0) = 0\n');
    expect(await read([file])).toMatchObject([
      { programs: {}, syscalls: ['read'], leftOut: ['futex_time64'] },
    ]);
  });

  it('reads profiles that were recorded, one or a list of them', async () => {
    const list = `kind: List\napiVersion: v1\nitems:\n${operator.replace(/^/gm, '    ').replace('    api', '  - api')}`;
    const files = [write('hook', JSON.stringify(hook)), write('spo.txt', operator), write('list.yaml', list)];
    const known = {
      tool: 'security-profiles-operator',
      programs: {},
      syscalls: ['close', 'openat'],
      leftOut: [],
    };
    expect(await read(files)).toMatchObject([
      { tool: 'oci-seccomp-bpf-hook', programs: {}, syscalls: ['read', 'write'], leftOut: ['waitpid'] },
      known,
      known,
    ]);
  });

  it.each([
    ['prose', 'It is only words.\n', /no recording/],
    ['binary', '\u0000\u0001\u0002{{{', /neither|no recording/],
    ['empty', '', /no recording/],
    ['other-kind', 'kind: ConfigMap\n', /no recording/],
    [
      'aliases',
      `a: &a [x]\n${Array.from({ length: 200 }, (_, i) => `k${i}: *a`).join('\n')}`,
      /neither|no recording/,
    ],
    ['denylist', JSON.stringify({ ...hook, defaultAction: 'SCMP_ACT_ALLOW' }), /does not name/],
    ['arm', JSON.stringify({ ...hook, architectures: ['SCMP_ARCH_AARCH64'] }), /not on x86-64/],
    [
      'written',
      JSON.stringify({ ...hook, syscalls: [{ ...hook.syscalls[0], includes: { caps: ['CAP_X'] } }] }),
      /written/,
    ],
    ['forged', JSON.stringify({ ...hook, syscalls: 'all' }), /syscalls/],
    ['based', operator.replace('  defaultAction', '  baseProfileName: runc\n  defaultAction'), /on top of/],
    ['program-output', 'read(3, "", 1) = 0\none\ntwo\n', /smaller part/],
  ])('refuses %s with a reason', async (name, text, why) => {
    const failed = loadRecordings([write(`bad-${name}`, text)]);
    await expect(failed).rejects.toMatchObject({
      code: 'usage/bad-recording',
      message: expect.stringMatching(why),
    });
  });

  it('has limits', async () => {
    const limits = { log: 100, profile: 50, line: 40, files: 2 };
    const log = write('long.log', `${'1 getpid() = 1\n'.repeat(10)}`);
    const line = write('line.log', `1 getpid() = 1\n1 write(1, "${'x'.repeat(60)}", 60) = 60\n`);
    for (const files of [[log], [line], [write('large', operator)], ['1', '2', '3']]) {
      await expect(loadRecordings(files, limits)).rejects.toMatchObject({ code: 'usage/bad-recording' });
    }
    await expect(loadRecordings([join(directory, 'none')])).rejects.toMatchObject({
      code: 'usage/no-such-file',
    });
  });
});

describe('joinedPrograms', () => {
  it('puts equal programs together', () => {
    const program = (argv: string, object: string, number: number) => ({
      path: '/a',
      argvs: [[argv]],
      objects: [object],
      syscalls: [{ number, count: 1, process: 'a', phase: 'start' }],
      phase: 'start',
    });
    expect(joinedPrograms([program('x', '/l2', 1), program('x', '/l1', 1), program('y', '/l1', 2)])).toEqual([
      {
        ...program('x', '', 1),
        argvs: [['x'], ['y']],
        objects: ['/l1', '/l2'],
        syscalls: [program('', '', 1).syscalls[0], program('', '', 2).syscalls[0]],
      },
    ]);
  });
});
