import { type MemoryFile, memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import type { LoaderFacts } from '../elf/elf.js';
import { loadClosure } from './load-closure.js';
import { readLoaderConfig } from './loader-config.js';

const flags = { symbolic: false, bindNow: false, noDefaultLibraries: false, pie: false, noDelete: false };
const none = {
  needed: [],
  filters: [],
  auxiliaries: [],
  rpath: [],
  runpath: [],
  flags,
  announced: [],
};
const glibc = '/lib64/ld-linux-x86-64.so.2';

/** In these trees a file's content is its dynamic information; `foreign` is of another machine. */
function file(info: Partial<LoaderFacts>): string {
  return JSON.stringify({ ...none, ...info });
}

async function close(
  files: Record<string, MemoryFile | string>,
  { libraryPath = '', preload = '' } = {},
  program = '/bin/app',
) {
  const tree = memoryTree(files);
  const entry = tree.lookup(program);
  if (entry === undefined) throw new Error('no program');
  return loadClosure({
    tree,
    program: entry,
    variables: { libraryPath, preload },
    config: await readLoaderConfig(tree),
    dynamic: async (one) => {
      const text = new TextDecoder().decode(await tree.read(one));
      return text === 'foreign' ? undefined : (JSON.parse(text) as LoaderFacts);
    },
  });
}
const paths = (closure: { objects: readonly { entry: { path: string } }[] }) =>
  closure.objects.map(({ entry }) => entry.path);

const base = {
  [glibc]: file({ soname: 'ld-linux-x86-64.so.2' }),
  '/lib/libc.so.6': file({ soname: 'libc.so.6', needed: ['ld-linux-x86-64.so.2'] }),
};
const app = (info: Partial<LoaderFacts>) => file({ interpreter: glibc, ...info });

describe('loadClosure with glibc', () => {
  it('loads breadth first, each soname once, the interpreter where it is needed', async () => {
    const closure = await close({
      ...base,
      '/bin/app': app({ needed: ['liba.so', 'libb.so', 'libc.so.6'] }),
      '/lib/liba.so': file({ needed: ['libd.so', 'libc.so.6'] }),
      '/usr/lib/libb.so': file({ needed: ['liba.so'] }),
      '/lib/libd.so': file({ needed: ['liba.so'] }),
    });
    expect(paths(closure)).toEqual([
      '/bin/app',
      '/lib/liba.so',
      '/usr/lib/libb.so',
      '/lib/libc.so.6',
      '/lib/libd.so',
      glibc,
    ]);
    expect(closure.objects.at(-1)?.role).toBe('interpreter');
  });

  it('searches RPATH of the loaders, LD_LIBRARY_PATH, RUNPATH, then the defaults', async () => {
    const places = (...directories: string[]) =>
      Object.fromEntries(directories.map((directory) => [`${directory}/libx.so`, file({})]));
    const viaA = (info: Partial<LoaderFacts>) => ({
      ...base,
      '/bin/app': app({ needed: ['liba.so'], rpath: ['$ORIGIN/../r'] }),
      '/lib/liba.so': file({ needed: ['libx.so'], ...info }),
    });
    const env = { libraryPath: '/env' };
    const all = places('/r', '/env', '/run', '/lib');
    expect(paths(await close({ ...viaA({}), ...all }, env))).toContain('/r/libx.so');
    expect(paths(await close({ ...viaA({ runpath: ['/run'] }), ...all }, env))).toContain('/env/libx.so');
    expect(paths(await close({ ...viaA({ runpath: ['/run'] }), ...all }))).toContain('/run/libx.so');
    expect(paths(await close({ ...viaA({ runpath: ['/no'] }), ...all }))).toContain('/lib/libx.so');
    const without = await close({
      ...viaA({ runpath: ['/no'], flags: { ...flags, noDefaultLibraries: true } }),
      ...all,
    });
    expect(without.undecided).toMatchObject([{ kind: 'library', where: '/lib/liba.so', what: 'libx.so' }]);
  });

  it('has every variant that a CPU may choose, as roots of their own', async () => {
    const closure = await close({
      ...base,
      '/bin/app': app({ needed: ['libx.so'] }),
      '/lib/libx.so': file({ soname: 'libx.so' }),
      '/lib/glibc-hwcaps/x86-64-v3/libx.so': file({ soname: 'libx.so', needed: ['liby.so'] }),
      '/lib/liby.so': file({}),
    });
    expect(closure.objects.map(({ entry, role }) => [entry.path, role])).toEqual([
      ['/bin/app', 'program'],
      ['/lib/glibc-hwcaps/x86-64-v3/libx.so', 'late'],
      ['/lib/libx.so', 'needed'],
      ['/lib/liby.so', 'needed'],
      [glibc, 'interpreter'],
    ]);
  });

  it('preloads, passes over other machines, and goes on without what is missing or broken', async () => {
    const closure = await close(
      {
        ...base,
        '/etc/ld.so.preload': { content: '/opt/p2.so\n', mode: 0o644 },
        '/opt/p1.so': file({}),
        '/opt/p2.so': file({}),
        '/bin/app': app({ needed: ['libx.so', 'gone.so', 'aux.so'], auxiliaries: ['aux.so'] }),
        '/env/libx.so': 'foreign',
        '/lib/libx.so': file({ needed: ['broken.so'] }),
        '/lib/broken.so': '{',
      },
      { libraryPath: '/env', preload: '/opt/p1.so missing.so' },
    );
    expect(paths(closure)).toEqual(['/bin/app', '/opt/p1.so', '/opt/p2.so', '/lib/libx.so', glibc]);
    expect(closure.undecided.map(({ kind, what }) => [kind, what])).toEqual([
      ['library', 'missing.so'],
      ['library', 'gone.so'],
      ['object', '/lib/broken.so'],
      ['library', 'broken.so'],
    ]);
  });

  it('opens late objects with what they need, and only once', async () => {
    const closure = await close({
      ...base,
      '/bin/app': app({ needed: ['libc.so.6'] }),
      '/mod/m.so': file({ needed: ['dep.so', 'libc.so.6'], runpath: ['$ORIGIN'] }),
      '/mod/dep.so': file({}),
    });
    expect(await closure.openLate('/mod/m.so', 'a rule')).toBe('/mod/m.so');
    expect(await closure.openLate('/mod/m.so', 'again')).toBe('/mod/m.so');
    expect(await closure.openLate('nowhere.so', 'a name')).toBeUndefined();
    expect(closure.objects.slice(3)).toMatchObject([
      { entry: { path: '/mod/m.so' }, role: 'late', reason: 'a rule' },
      { entry: { path: '/mod/dep.so' }, role: 'late-needed', reason: 'needed by /mod/m.so: a rule' },
    ]);
    // Whoever opens it by name may ask it for any symbol.
    await closure.openLate('/mod/dep.so', 'another rule');
    expect(closure.objects[4]).toMatchObject({
      entry: { path: '/mod/dep.so' },
      role: 'late',
      reason: 'another rule',
    });
    expect(closure.objects).toHaveLength(5);
    expect(closure.undecided).toEqual([]);
  });

  it('refuses a program whose interpreter is missing, and takes a static one alone', async () => {
    await expect(close({ '/bin/app': app({}) })).rejects.toMatchObject({
      code: 'analysis/interpreter-not-found',
    });
    await expect(close({ '/bin/app': 'foreign' })).rejects.toMatchObject({ code: 'elf/unsupported-machine' });
    expect(paths(await close({ '/bin/app': file({}) }))).toEqual(['/bin/app']);
  });
});

describe('loadClosure with musl', () => {
  it('answers libc names itself, inherits RUNPATH and reads its path file', async () => {
    const closure = await close({
      '/lib/ld-musl-x86_64.so.1': file({ soname: 'libc.musl-x86_64.so.1' }),
      '/lib/libc.musl-x86_64.so.1': { link: 'ld-musl-x86_64.so.1' },
      '/etc/ld-musl-x86_64.path': { content: '/opt/lib\n/lib\n', mode: 0o644 },
      '/bin/app': file({
        interpreter: '/lib/ld-musl-x86_64.so.1',
        needed: ['liba.so', 'libc.musl-x86_64.so.1', 'libpthread.so.0'],
        runpath: ['/r'],
      }),
      '/opt/lib/liba.so': file({ needed: ['libx.so'] }),
      '/lib/libx.so': file({}),
      '/r/libx.so': file({}),
    });
    expect(paths(closure)).toEqual([
      '/bin/app',
      '/opt/lib/liba.so',
      '/lib/ld-musl-x86_64.so.1',
      '/r/libx.so',
    ]);
    expect(closure.undecided).toEqual([]);
  });
});
