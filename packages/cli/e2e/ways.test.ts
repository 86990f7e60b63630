import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProfileDocument, profileDocumentSchema } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const workspace = join(import.meta.dirname, '../../..');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-ways-'));
  await mkdir(join(directory, 'root/bin'), { recursive: true });
  await copyFile('/bin/busybox', join(directory, 'root/bin/busybox'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function profiled(...args: string[]): Promise<ProfileDocument> {
  const file = join(directory, 'document.json');
  const { code, stderr } = await profGen(['profile', ...args, '--quiet', '--output', `json=${file}`]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return profileDocumentSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

/**
 * Distinct calls by program. Without `restart_syscall`: ptrace wakes a task for signals that it ignores, and the kernel
 * resumes by it a call that bpftrace sees once.
 */
type Seen = Map<string, Set<string>>;
function add(seen: Seen, document: ProfileDocument): void {
  for (const { path, traced } of document.programs) {
    const calls = seen.get(path) ?? new Set();
    seen.set(path, calls);
    for (const name of traced) if (name !== 'restart_syscall') calls.add(name);
  }
}
const plain = (seen: Seen): Record<string, string[]> =>
  Object.fromEntries([...seen].sort().map(([path, calls]) => [path, [...calls].sort()]));

describe('the two ways to observe', () => {
  beforeAll(async () => {
    for (const command of ['build', 'load'])
      expect((await profGen(['corpus', command, 'redis', 'nginx'])).code).toBe(0);
  }, 900_000);

  it.each(['redis', 'nginx'])(
    '%s: each program makes the same calls by bpftrace and by strace',
    async (name) => {
      const seen = { bpftrace: new Map() as Seen, strace: new Map() as Seen };
      // What hangs on timing shows in one run and not in another: runs are joined, nothing is left out.
      for (let round = 1; round <= 3; round += 1) {
        for (const way of ['bpftrace', 'strace'] as const) {
          const document = await profiled(`prof-gen/${name}`, '--tracer', way);
          expect(document.observation?.method).toBe(way);
          expect(document.status).not.toBe('proven');
          expect(document.staticMisses).toEqual([]);
          add(seen[way], document);
        }
        if (JSON.stringify(plain(seen.bpftrace)) === JSON.stringify(plain(seen.strace))) break;
      }
      const [server] = [...seen.strace].filter(([path]) => path.includes(name));
      expect(server?.[1].size).toBeGreaterThan(30);
      expect(plain(seen.strace)).toEqual(plain(seen.bpftrace));
    },
    1_800_000,
  );
});

describe('profile --tracer strace', () => {
  it('refuses a proof before anything is started, and says what to do', async () => {
    const workload = join(workspace, 'datasets/workloads/redis.yaml');
    const { code, stderr } = await profGen([
      'profile',
      'prof-gen/none',
      '--tracer',
      'strace',
      '--workload',
      workload,
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/usage\/proof-needs-bpftrace[\s\S]*prof-gen verify/);
  });

  it('is named where bpftrace cannot run', async () => {
    const { code, stderr } = await profGen(['profile', 'prof-gen/none'], { env: { PATH: '/nowhere' } });
    expect(code).toBe(5);
    expect(stderr).toMatch(/environment\/bpftrace[\s\S]*--tracer strace/);
  });

  it('says which package is missing, and refuses options that have no sense together', async () => {
    const absent = await profGen(['profile', 'prof-gen/none', '--tracer', 'strace'], {
      env: { PATH: '/nowhere' },
    });
    expect([absent.code, absent.stderr]).toEqual([
      5,
      expect.stringMatching(/environment\/strace[\s\S]*package strace/),
    ]);
    for (const wrong of [
      ['--tracer', 'gdb'],
      ['--static', '--tracer', 'strace'],
      ['--strace-image', 'x'],
    ]) {
      expect((await profGen(['profile', 'prof-gen/none', ...wrong])).code).toBe(2);
    }
  });
});

describe('profile --import', () => {
  const recorded = ['/bin/busybox', 'sh', '-c', '/bin/busybox id; exec /bin/busybox ls /'];

  it('takes what strace recorded as evidence, by -f and by -ff', async () => {
    const log = join(directory, 'trace.log');
    execFileSync('strace', ['-f', '-y', '-tt', '-o', log, ...recorded]);
    execFileSync('strace', ['-ff', '-o', join(directory, 'set'), ...recorded]);
    const set = (await readdir(directory)).filter((name) => name.startsWith('set.'));
    const image = `dir:${join(directory, 'root')}`;
    const files = set.map((name) => join(directory, name));
    const both = await profiled(
      image,
      '--static',
      '--entrypoint',
      '/bin/busybox',
      '--import',
      log,
      '--import',
      ...files,
    );
    expect(both.status).not.toBe('static');
    expect(both.imports?.map(({ source }) => source)).toEqual([
      { tool: 'strace', file: log },
      { tool: 'strace', file: join(directory, 'set.*') },
    ]);
    const [first, second] = both.imports ?? [];
    expect(first?.programs).toEqual(['/bin/busybox']);
    expect(first?.syscalls).toEqual(second?.syscalls);
    expect(first?.syscalls).toContain('getdents64');
    expect(both.staticMisses).toEqual([]);
    const evidence = both.syscalls.find(({ name }) => name === 'getdents64')?.evidence ?? [];
    expect(evidence.filter(({ kind }) => kind === 'traced')).toContainEqual({
      kind: 'traced',
      program: '/bin/busybox',
      process: 'busybox',
      phase: 'recorded',
      method: 'import',
      source: { tool: 'strace', file: log },
    });
  });

  it('takes calls of unknown programs, and counts them for no static miss', async () => {
    const file = join(directory, 'recorded.yaml');
    await writeFile(
      file,
      `apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
spec:
  defaultAction: SCMP_ACT_ERRNO
  syscalls: [{ action: SCMP_ACT_ALLOW, names: [mq_open, quotactl] }]
`,
    );
    const document = await profiled(
      `dir:${join(directory, 'root')}`,
      '--static',
      '--entrypoint',
      '/bin/busybox',
      '--import',
      file,
    );
    expect(document.staticMisses).toEqual([]);
    expect(document.syscalls.find(({ name }) => name === 'mq_open')?.evidence).toEqual([
      {
        kind: 'traced',
        program: '?',
        process: '?',
        phase: 'recorded',
        method: 'import',
        source: { tool: 'security-profiles-operator', file },
      },
    ]);
    // Needed, as somebody says; Docker's default denies it all the same.
    expect(document.denied.find(({ name }) => name === 'quotactl')?.reason).toBe('docker-default');
  });

  it('refuses what is no recording', async () => {
    const file = join(directory, 'words');
    await writeFile(file, 'only words\n');
    const { code, stderr } = await profGen([
      'profile',
      `dir:${join(directory, 'root')}`,
      '--static',
      '--import',
      file,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('usage/bad-recording');
  });
});
