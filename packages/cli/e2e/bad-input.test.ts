import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);

let directory: string;
let root: string;
let cache: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-bad-'));
  root = join(directory, 'root');
  cache = join(directory, 'cache');
  await mkdir(join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'etc'));
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  const good = await readFile('/bin/busybox');
  const file = async (name: string, bytes: Uint8Array | string) => {
    await writeFile(join(root, 'bin', name), bytes);
    await chmod(join(root, 'bin', name), 0o755);
  };
  const forged = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  await file('text', 'just some words\u0000\u0001');
  await file('empty', '');
  await file('truncated', good.subarray(0, 100));
  await file('half', good.subarray(0, good.length / 2));
  await file(
    'other-machine',
    forged((bytes) => bytes.writeUInt16LE(183, 18)),
  );
  await file(
    'far-headers',
    forged((bytes) => bytes.writeBigUInt64LE(0xffff_ffff_ffff_fff0n, 32)),
  );
  await file(
    'many-headers',
    forged((bytes) => bytes.writeUInt16LE(0xffff, 56)),
  );
  await file('loop', '#!/bin/loop\n');
  await writeFile(join(root, 'bin/plain'), good);
  await symlink('link-b', join(root, 'bin/link-a'));
  await symlink('link-a', join(root, 'bin/link-b'));
  await mkdir(join(directory, 'empty-root'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const environment = () => ({ PROF_GEN_CACHE: cache });

describe('a clear error with a code, no stack trace and no output', () => {
  it.each([
    ['not an ELF file', ['/bin/text'], 1],
    ['an empty file', ['/bin/empty'], 1],
    ['a truncated header', ['/bin/truncated'], 1],
    ['half a file', ['/bin/half'], 1],
    ['another machine', ['/bin/other-machine'], 1],
    ['headers past the end', ['/bin/far-headers'], 1],
    ['more headers than bytes', ['/bin/many-headers'], 1],
    ['a script that interprets itself', ['/bin/loop'], 1],
    ['a link cycle', ['/bin/link-a'], 1],
    ['a missing command', ['no-such-command'], 1],
    ['a directory', ['/etc'], 1],
    ['a file that may not be executed', ['/bin/plain'], 1],
    ['no command', [], 1],
  ])('%s', async (_, command, code) => {
    const output = join(directory, 'profile.json');
    const ended = await profGen(
      ['profile', '--static', `dir:${root}`, '--output', `docker=${output}`, '--', ...command],
      { env: environment() },
    );
    expect(ended.stderr).toMatch(/^error: .+ \[(?:elf|analysis|image)\/[a-z-]+\]$/m);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended.code).toBe(code);
    expect(ended.stdout).toBe('');
    expect((await readdir(directory)).filter((name) => name.startsWith('profile'))).toEqual([]);
  });

  it.each([
    ['no image at all', ['profile'], 2, /missing required argument/],
    ['an unknown option', ['profile', 'x', '--colour'], 2, /unknown option/],
    ['an unknown command', ['frobnicate'], 2, /unknown command/],
    [
      'a name that is none',
      ['profile', '--static', 'registry:UPPER'],
      2,
      /usage\/reference.*\n.*hint: .*name:tag/,
    ],
    [
      'a platform that is none',
      ['profile', '--static', '--platform', 'amiga', 'dir:/'],
      2,
      /usage\/platform/,
    ],
    ['an output that is none', ['profile', '--static', '-o', 'xml', 'dir:/'], 2, /usage\/output/],
    ['a proof without a container', ['profile', '--static', '--workload', 'x', 'dir:/'], 2, /usage\/options/],
    [
      'a workload that is not there',
      ['profile', '--workload', '/no/such.yaml', 'x'],
      2,
      /usage\/no-such-file/,
    ],
    ['a directory that is not there', ['profile', '--static', 'dir:/no/such'], 1, /image\/not-found/],
    [
      'an archive that is not there',
      ['profile', '--static', 'docker-archive:/no/such.tar'],
      1,
      /image\/not-found/,
    ],
    ['results that are not there', ['report', '/no/such.db', '--to', '/tmp/x'], 1, /store\/cannot-open/],
  ])('%s', async (_, args, code, text) => {
    const ended = await profGen(args, { env: environment() });
    expect(ended.stderr).toMatch(text);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended.code).toBe(code);
  });

  it('no such image in the engine', async () => {
    const ended = await profGen(['profile', '--static', 'docker:prof-gen/no-such:tag'], {
      env: environment(),
    });
    expect(ended.stderr).toMatch(/image\/not-found/);
    expect(ended.code).toBe(1);
  });

  it('another platform than the image has', async () => {
    const args = ['profile', '--static', '--platform', 'linux/arm64', 'docker:prof-gen/redis'];
    const ended = await profGen(args, { env: environment() });
    expect(ended.stderr).toMatch(/image\/platform-mismatch/);
    expect(ended.code).toBe(1);
  });

  it('no engine', async () => {
    const ended = await profGen(['profile', `dir:${root}`, '--', '/bin/busybox'], {
      env: { ...environment(), DOCKER_HOST: 'unix:///no/such/docker.sock' },
    });
    expect(ended.stderr).toMatch(/environment\/[a-z-]+\][^]*hint: /);
    expect(ended.code).toBe(5);
  });

  it('no space left', async () => {
    const small = join(directory, 'small');
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small]);
    try {
      const ended = await profGen(['profile', '--static', 'docker:prof-gen/redis', '--cache', small]);
      expect(ended.stderr).toMatch(/environment\/disk-full\][^]*hint: /);
      expect(ended.code).toBe(5);
      expect(ended.stdout).toBe('');
    } finally {
      await run('umount', [small]);
    }
  });
});
