import { memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { findPrograms } from './find-programs.js';

const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
const gcc = '/usr/libexec/gcc/x86_64-linux-gnu/14';

async function started(files: Parameters<typeof memoryTree>[0], ...argv: string[]) {
  const { programs } = await findPrograms({
    tree: memoryTree({ '/bin/sh': elf, ...files }),
    command: { argv, env: ['PATH=/usr/bin:/bin'], workingDir: '/', user: '' },
    healthcheck: [],
    shell: ['/bin/sh', '-c'],
  });
  return programs.map(({ path, origin }) => ({ path, origin }));
}
const pathsOf = async (...given: Parameters<typeof started>) =>
  (await started(...given)).map(({ path }) => path);

describe('programs that a program starts by its own job', () => {
  it('are the passes of a compiler, and what these start', async () => {
    const files = {
      '/usr/bin/gcc': { link: 'x86_64-linux-gnu-gcc-14' },
      '/usr/bin/x86_64-linux-gnu-gcc-14': elf,
      '/usr/bin/as': { link: 'x86_64-linux-gnu-as' },
      '/usr/bin/x86_64-linux-gnu-as': elf,
      '/usr/bin/ld': elf,
      '/usr/bin/make': elf,
      '/usr/bin/other': elf,
      [`${gcc}/cc1`]: elf,
      [`${gcc}/collect2`]: elf,
      [`${gcc}/lto-wrapper`]: elf,
    };
    expect((await pathsOf(files, 'gcc', '-o', 'app', 'app.c')).sort()).toEqual([
      '/bin/sh',
      '/usr/bin/ld',
      '/usr/bin/make',
      '/usr/bin/x86_64-linux-gnu-as',
      '/usr/bin/x86_64-linux-gnu-gcc-14',
      `${gcc}/cc1`,
      `${gcc}/collect2`,
      `${gcc}/lto-wrapper`,
    ]);
  });

  it('say who starts them, and why', async () => {
    const [, helper] = await started(
      { '/usr/lib/jvm/21/bin/java': elf, '/usr/lib/jvm/21/lib/jspawnhelper': elf },
      '/usr/lib/jvm/21/bin/java',
    );
    expect(helper?.origin).toEqual({
      kind: 'started',
      program: '/usr/lib/jvm/21/bin/java',
      reason: 'Java starts programs by a helper of its own',
    });
  });

  it('are those of a script that is handed to bash, executable or not', async () => {
    const limit = '/usr/share/mediawiki/vendor/wikimedia/shellbox/src/Command/limit.sh';
    const files = {
      '/usr/sbin/apache2': elf,
      '/bin/bash': elf,
      '/usr/bin/timeout': elf,
      [limit]: {
        content: 'limit=0\neval "$2"\n[ "$limit" -gt 0 ] && timeout "$limit" bash -c "$1"\n',
        mode: 0o644,
      },
    };
    expect(await pathsOf(files, '/usr/sbin/apache2')).toContain('/usr/bin/timeout');
    expect(await pathsOf(files, '/bin/sh', '-c', 'true')).not.toContain('/usr/bin/timeout');
  });

  it('are found however many of them start each other', async () => {
    // autoreconf starts autoconf, that autoheader, and so on: libtoolize comes last, with scripts of its own.
    const tools = [
      'autoreconf',
      'autoconf',
      'autoheader',
      'autom4te',
      'autoscan',
      'autoupdate',
      'ifnames',
      'aclocal',
      'automake',
    ];
    const files = {
      ...Object.fromEntries(tools.map((tool) => [`/usr/bin/${tool}`, '#!/usr/bin/perl\n'])),
      '/usr/bin/perl': elf,
      '/usr/bin/env': elf,
      '/usr/bin/sh': elf,
      '/usr/bin/grep': elf,
      '/usr/bin/libtoolize': '#!/usr/bin/env sh\nsh -c "sh -c \'sh -c grep\'"\n',
    };
    expect(await pathsOf(files, 'sh', '-c', 'sh -c "sh -c autoreconf"')).toContain('/usr/bin/grep');
  });

  it('are the daemons of GnuPG', async () => {
    const files = { '/usr/bin/gpg': elf, '/usr/bin/gpg-agent': elf, '/usr/lib/gnupg/scdaemon': elf };
    expect((await pathsOf(files, 'gpg', '--list-keys')).sort()).toEqual([
      '/usr/bin/gpg',
      '/usr/bin/gpg-agent',
      '/usr/lib/gnupg/scdaemon',
    ]);
  });

  it('are what a tool hands its result to', async () => {
    const files = { '/usr/bin/nekotools': elf, '/bin/chmod': elf, '/bin/chown': elf };
    expect((await pathsOf(files, 'nekotools', 'boot', 'app.n')).sort()).toEqual([
      '/bin/chmod',
      '/bin/sh',
      '/usr/bin/nekotools',
    ]);
  });

  it('are those of a script in a language that is not followed', async () => {
    const perl = { content: '#!/usr/bin/perl\nsystem "m4";', mode: 0o755 };
    const files = {
      '/usr/bin/perl': elf,
      '/usr/bin/m4': elf,
      '/usr/bin/sed': elf,
      '/usr/bin/autoreconf': perl,
      '/usr/bin/automake': { link: 'automake-1.17' },
      '/usr/bin/automake-1.17': perl,
      '/usr/bin/libtoolize': { content: '#!/bin/sh\nsed p < /dev/null\n', mode: 0o755 },
    };
    expect((await pathsOf(files, 'autoreconf', '-fi')).sort()).toEqual([
      '/bin/sh',
      '/usr/bin/m4',
      '/usr/bin/perl',
      '/usr/bin/sed',
    ]);
    expect(await pathsOf(files, 'perl', '/usr/bin/autoconf')).not.toContain('/usr/bin/m4');
    expect(await pathsOf(files, 'perl', '/usr/bin/automake')).toContain('/usr/bin/m4');
  });

  it('come from the same home where the rule says so', async () => {
    const files = {
      '/opt/a/bin/java': elf,
      '/opt/a/lib/jspawnhelper': elf,
      '/opt/b/lib/jspawnhelper': elf,
    };
    expect(await pathsOf(files, '/opt/a/bin/java')).toEqual(['/opt/a/bin/java', '/opt/a/lib/jspawnhelper']);
  });

  it('are not what only looks alike, and nothing where the image has none', async () => {
    const files = { '/usr/bin/gccmakedep': elf, '/usr/bin/python3-config': elf, [`${gcc}/cc1`]: elf };
    expect(await pathsOf(files, 'gccmakedep')).toEqual(['/usr/bin/gccmakedep']);
    expect(await pathsOf(files, 'python3-config')).toEqual(['/usr/bin/python3-config']);
    expect(await pathsOf({ '/bin/sh': { link: 'nowhere' }, '/usr/bin/perl': elf }, 'perl')).toEqual([
      '/usr/bin/perl',
    ]);
  });

  it('end where programs start each other in a circle', async () => {
    const bin = '/usr/lib/erlang/erts-15.2/bin';
    const files = {
      [`${bin}/erlexec`]: elf,
      [`${bin}/beam.smp`]: elf,
      [`${bin}/erl_child_setup`]: elf,
      [`${bin}/yielding_c_fun`]: elf,
      '/usr/bin/collect2': elf,
    };
    expect(await pathsOf(files, `${bin}/erlexec`)).toEqual([
      `${bin}/erlexec`,
      `${bin}/beam.smp`,
      `${bin}/erl_child_setup`,
      '/bin/sh',
    ]);
  });
});
