import { memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { findExecutable, requireExecutable } from './find-executable.js';

const tree = memoryTree({
  '/bin': { link: 'usr/bin' },
  '/usr/bin/busybox': 'x',
  '/usr/bin/ls': { link: '/bin/busybox' },
  '/usr/local/bin/ls': { content: 'not executable', mode: 0o644 },
  '/usr/bin/loop': { link: 'loop' },
  '/usr/sbin/dir': { directory: true },
  '/srv/run': 'x',
});
const path = '/usr/local/bin:/usr/sbin:/bin';

describe('findExecutable', () => {
  it('passes over what cannot be executed, and follows links inside the image', () => {
    expect(findExecutable(tree, 'ls', path, '/')).toMatchObject({
      ok: true,
      path: '/bin/ls',
      entry: { path: '/usr/bin/busybox' },
    });
  });
  it('takes a name with a slash, and an empty element of PATH, from the working directory', () => {
    expect(findExecutable(tree, './run', path, '/srv')).toMatchObject({ ok: true, path: '/srv/run' });
    expect(findExecutable(tree, 'run', `${path}:`, '/srv')).toMatchObject({ ok: true, path: '/srv/run' });
    expect(findExecutable(tree, 'run', path, '/srv')).toMatchObject({ ok: false, reason: 'not-found' });
  });
  it.each([
    ['nope', 'analysis/command-not-found', '/usr/local/bin/nope, /usr/sbin/nope, /bin/nope'],
    ['dir', 'analysis/command-is-directory', '/usr/sbin/dir'],
    ['/usr', 'analysis/command-is-directory', '/usr'],
    ['/usr/local/bin/ls', 'analysis/not-executable', '/usr/local/bin/ls'],
    ['loop', 'analysis/command-not-found', '/bin/loop'],
    ['', 'analysis/command-not-found', ''],
    ['../../../etc/shadow', 'analysis/command-not-found', '/etc/shadow'],
  ])('refuses %j with %s and says where it looked', (name, code, looked) => {
    expect(() => requireExecutable(tree, name, path, '/')).toThrowError(
      expect.objectContaining({
        code,
        hint: expect.any(String),
        details: { looked: expect.stringContaining(looked) },
      }),
    );
  });
});
