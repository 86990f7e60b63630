import { describe, expect, it } from 'vitest';
import { memoryTree } from './memory-tree.js';

describe('memoryTree', () => {
  const tree = memoryTree({
    '/usr/bin/dash': '#!',
    '/bin': { link: 'usr/bin' },
    '/usr/bin/sh': { link: '../../bin/dash' },
    '/etc/loop': { link: '/etc/loop' },
    '/etc/up': { link: '../../../../usr' },
    '/empty': { directory: true },
  });
  it('follows links inside itself', () => {
    expect(tree.resolve('/bin/sh')).toMatchObject({
      ok: true,
      entry: { path: '/usr/bin/dash', kind: 'script' },
    });
    expect(tree.resolve('/etc/up/bin')).toMatchObject({ ok: true, entry: { path: '/usr/bin' } });
    expect(tree.resolve('/etc/loop')).toEqual({ ok: false, reason: 'link-cycle', at: '/etc/loop' });
    expect(tree.resolve('/usr/bin/dash/x')).toMatchObject({ ok: false, reason: 'not-a-directory' });
    expect(tree.lookup('/usr/bin/sh')?.type).toBe('symlink');
  });
  it('lists directories, through links too', () => {
    expect(tree.list('/bin').map(({ path }) => path)).toEqual(['/usr/bin/dash', '/usr/bin/sh']);
    expect(tree.list('/empty')).toEqual([]);
    expect(tree.list('/usr/bin/dash')).toEqual([]);
  });
});
