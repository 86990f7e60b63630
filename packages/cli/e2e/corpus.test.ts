import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { corpusLockSchema, profileDocumentSchema } from '@prof-gen/core';
import { startDockerRegistry } from '@prof-gen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheDirectory } from '../src/cache-directory.js';
import { profGen } from './prof-gen.js';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '../../..');
const tag = 'prof-gen/e2e-tiny:latest';

// Packages that this machine has fetched before are not fetched again.
const shared = cacheDirectory(
  { stdout: process.stdout, stderr: process.stderr, env: process.env },
  undefined,
);

let directory: string;
const recipes = () => join(directory, 'recipes');
const layout = (name: string) => join(directory, name);
const corpus = (command: string, where: string, ...more: string[]) => [
  ...['corpus', command, '--recipes', recipes(), '--layout', layout(where), ...more],
];
const lockOf = async (where: string) =>
  corpusLockSchema.parse(JSON.parse(await readFile(join(layout(where), 'corpus.lock.json'), 'utf8')));

async function recipe(name: string, more: object): Promise<void> {
  const common = { schemaVersion: 1, name, description: 'for a test', suite: 'bookworm' };
  // JSON is YAML too.
  await writeFile(
    join(recipes(), `${name}.yaml`),
    JSON.stringify({ ...common, packages: [], config: {}, ...more }),
  );
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-corpus-'));
  await chmod(directory, 0o755);
  await mkdir(recipes());
  await recipe('e2e-bare', { config: { cmd: ['sh'] } });
  await recipe('e2e-tiny', {
    packages: ['ed', 'libcap2-bin'],
    directories: [{ path: '/srv/roots' }, { path: '/var/lib/of-games', owner: 'games', mode: 0o750 }],
    files: [
      // Through the base's own link, which is absolute for a part of its way: it must not leave the image.
      { path: '/var/run/prof-gen-e2e/file', content: 'in the image\n', mode: 0o600 },
      { path: '/usr/local/bin/start', content: '#!/bin/sh\nexec ed "$@"\n', mode: 0o755 },
    ],
    links: [{ path: '/usr/local/bin/editor', target: '/usr/bin/ed' }],
    setup: [
      'setcap cap_net_raw+ep /usr/bin/ed',
      // Nothing answers, and what is left in /tmp is gone.
      'if getent hosts deb.debian.org; then exit 1; fi; touch /tmp/left',
      'rm -r /usr/share/base-files; mkdir /usr/share/base-files; touch /usr/share/base-files/new',
      'head -c 16 /dev/urandom >/etc/random',
    ],
    remove: ['/etc/issue*', '/etc/random'],
    config: {
      entrypoint: ['start'],
      cmd: ['--version'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
  });
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await run('docker', ['rmi', '--force', tag]).catch(() => {});
});

/** Mounts of this machine that a build may have left. */
const mounts = async () =>
  (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(directory));

describe('prof-gen corpus', () => {
  it('builds images, keeps them, and gives equal digests without a network and with nothing but packages', async () => {
    const first = await profGen(corpus('build', 'one'));
    expect(first.stderr).not.toMatch(/warning/);
    expect(first).toMatchObject({ code: 0, stdout: '2 built, 0 at hand, 0 failed\n' });
    expect(await profGen(corpus('build', 'one'))).toMatchObject({
      code: 0,
      stdout: '0 built, 2 at hand, 0 failed\n',
    });

    const cache = layout('cache');
    await cp(join(shared, 'corpus/apt'), join(cache, 'corpus/apt'), { recursive: true });
    const through = ['unshare', '--net'];
    const again = await profGen(
      corpus('build', 'two', '--cache', cache, '--lock', join(layout('one'), 'corpus.lock.json')),
      { through },
    );
    expect(again.stderr).not.toMatch(/warning/);
    expect(again.code).toBe(0);
    expect(await lockOf('two')).toEqual(await lockOf('one'));
    expect(await readdir(join(cache, 'corpus/work'))).toEqual([]);
    expect(await mounts()).toEqual([]);
  });

  it('keeps what a recipe says in one layer on its base', async () => {
    const { images, suites } = await lockOf('one');
    const { layer, base, packages } = images['e2e-tiny'] ?? expect.fail();
    expect(base).toBe(suites['bookworm']?.layer);
    expect(Object.keys(packages)).toContain('ed');
    const file = join(layout('one'), 'blobs/sha256', layer.slice('sha256:'.length));
    const { stdout } = await run('tar', [
      '--list',
      '--verbose',
      '--numeric-owner',
      '--xattrs',
      '--file',
      file,
    ]);
    const listed = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.replace(/^(?:\S+ +){5}/, ''), line.split(/ +/, 2).join(' ')]),
    );
    expect(listed.get('usr/local/bin/start')).toBe('-rwxr-xr-x 0/0');
    expect(listed.get('usr/local/bin/editor -> /usr/bin/ed')).toBe('lrwxrwxrwx 0/0');
    expect(listed.get('run/prof-gen-e2e/file')).toBe('-rw------- 0/0');
    expect(listed.get('var/lib/of-games/')).toBe('drwxr-x--- 5/60');
    expect(listed.get('etc/.wh.issue')).toBe('-rw-r--r-- 0/0');
    expect(listed.get('etc/.wh.issue.net')).toBe('-rw-r--r-- 0/0');
    expect(listed.get('usr/share/base-files/new')).toBe('-rw-r--r-- 0/0');
    const names = [...listed.keys()];
    expect(names.filter((name) => name.startsWith('usr/share/base-files/.wh.')).length).toBeGreaterThan(2);
    for (const left of [
      /^tmp/,
      /^etc\/random/,
      /^etc\/(?:hosts|resolv\.conf)/,
      /policy-rc/,
      /\.log$/,
      /^var\/cache\/apt/,
      /^var\/lib\/apt\/lists/,
      /^dev/,
    ])
      expect(
        names.filter((name) => left.test(name)),
        String(left),
      ).toEqual([]);
    const { stdout: capability } = await run('tar', [
      '--list',
      '-vv',
      '--xattrs',
      '--xattrs-include=*',
      '--file',
      file,
      'usr/bin/ed',
    ]);
    expect(capability).toContain('security.capability');
  });

  it('gives images to static analysis without an engine', async () => {
    const { code, stdout, stderr } = await profGen(
      ['profile', '--static', '-q', '-o', 'json', `oci:${layout('one')}:e2e-tiny`],
      { env: { DOCKER_HOST: 'unix:///no/such.sock' } },
    );
    expect(code, stderr).toBe(0);
    const { programs } = profileDocumentSchema.parse(JSON.parse(stdout));
    expect(programs.map(({ path }) => path)).toContain('/usr/bin/ed');
  });

  it('lists recipes and what is built of them', async () => {
    await recipe('e2e-slow', { setup: ['sleep 60'] });
    const { stdout } = await profGen(corpus('list', 'one'));
    expect(stdout).toMatch(/^e2e-tiny +bookworm +built +\d+\.\d +\d+ +[0-9a-f]{12}$/m);
    expect(stdout).toMatch(/^e2e-slow +bookworm +missing$/m);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'ends all it has begun on %s, and goes on at the next start',
    async (signal) => {
      const program = join(workspace, 'packages/cli/bin/prof-gen.js');
      const args = corpus('build', 'one', 'e2e-slow', 'e2e-bare');
      const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = new Promise<number | null>((resolve) => {
        child.on('exit', resolve);
      });
      let said = '';
      for await (const bytes of child.stderr) {
        said += String(bytes);
        if (said.includes('e2e-slow: running its setup')) break;
      }
      child.kill(signal);
      expect(await ended).toBe(signal === 'SIGINT' ? 130 : null);
      await sleep(500);
      const { stdout } = await run('ps', ['-eo', 'args']);
      // One that has ended and that nobody has asked for yet is none.
      const running = stdout.split('\n').filter((line) => !line.includes('<defunct>'));
      expect(running.filter((line) => /^(?:sleep 60|.*build-image\.sh)/.test(line))).toEqual([]);
      expect(await mounts()).toEqual([]);
      const { stdout: next } = await profGen(corpus('build', 'one', 'e2e-bare', 'e2e-tiny'));
      expect(next).toBe('0 built, 2 at hand, 0 failed\n');
    },
  );

  it('says what is wrong', async () => {
    await recipe('e2e-typo', { packages: ['no-such-package-anywhere'] });
    await recipe('e2e-fails', { setup: ['echo this is why; false'] });
    const failed = await profGen(corpus('build', 'one', 'e2e-typo', 'e2e-fails', 'e2e-bare'));
    expect(failed.code).toBe(4);
    expect(failed.stderr).toMatch(/e2e-typo: .*\[corpus\/no-such-package\]/);
    expect(failed.stderr).toMatch(/e2e-fails: .*\[corpus\/setup-failed\]/);
    const unknown = await profGen(corpus('build', 'one', 'e2e-tinny'));
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean e2e-tiny?') });
    const nobody = await profGen(corpus('build', 'none', 'e2e-bare'), {
      through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      env: { PROF_GEN_CACHE: '/tmp/none' },
    });
    expect(nobody.stderr).toMatch(/\[environment\/root\]/);
    expect(nobody.code).toBe(5);
    const mirror = ['--mirror', 'http://127.0.0.1:9/{archive}', '--cache', layout('no-cache')];
    const unreachable = await profGen(corpus('build', 'three', 'e2e-bare', ...mirror));
    expect(unreachable.stderr).toMatch(/\[environment\/mirror-unreachable\][^]*hint: .*--mirror/);
    expect(unreachable.code).toBe(5);
  });

  it('fills a registry, and sends nothing twice', async () => {
    const registry = await startDockerRegistry();
    try {
      const { images, suites } = await lockOf('one');
      const push = () => profGen(corpus('push', 'one', `${registry.host}/a`, 'e2e-bare', 'e2e-tiny'));
      const pushed = await push();
      expect(pushed.code).toBe(0);
      const [, sent] = /^2 pushed, ([\d.]+) MB sent\n$/.exec(pushed.stdout) ?? [];
      const size =
        (suites['bookworm']?.size ?? 0) + (images['e2e-bare']?.size ?? 0) + (images['e2e-tiny']?.size ?? 0);
      expect(Math.abs(Number(sent) - size / 1e6)).toBeLessThan(0.1);
      expect((await push()).stdout).toBe('2 pushed, 0.0 MB sent\n');
      const answer = await fetch(`http://${registry.host}/v2/a/e2e-tiny/manifests/latest`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      });
      expect(answer.headers.get('docker-content-digest')).toBe(images['e2e-tiny']?.manifest);
    } finally {
      await registry.close();
    }
  });

  it('loads into the engine what it lacks', async () => {
    const load = () => profGen(corpus('load', 'one', 'e2e-tiny'));
    expect(await load()).toMatchObject({ code: 0, stdout: '1 loaded, 0 in the engine already\n' });
    expect(await load()).toMatchObject({ code: 0, stdout: '0 loaded, 1 in the engine already\n' });
    const { stdout } = await run('docker', ['run', '--rm', '--network=none', tag]);
    expect(stdout).toMatch(/^GNU ed /);
  });
});
