import { posix } from 'node:path';
import { memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { characterSetObjects } from './character-sets.js';
import { lateFilesOf } from './late-files.js';
import { nameServiceObjects, readNameServices } from './name-services.js';

const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
const text = (content: string) => ({ content, mode: 0o644 });

describe('lateFilesOf', () => {
  const modules = {
    '/usr/lib/nginx/modules/ngx_a.so': elf,
    '/usr/lib/nginx/modules/ngx_b.so': elf,
    '/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so': elf,
    '/opt/venv/lib/python3.11/site-packages/x/y.so': elf,
    '/usr/lib/x86_64-linux-gnu/engines-3/afalg.so': elf,
    '/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so': elf,
    '/usr/lib/x86_64-linux-gnu/security/pam_unix.so': elf,
    '/usr/lib/x86_64-linux-gnu/security/pam_exec.so': elf,
    '/usr/lib/unrelated.so': elf,
  };
  const found = async (files: Parameters<typeof memoryTree>[0], program: string, ...sonames: string[]) =>
    (await lateFilesOf(memoryTree({ ...modules, ...files }))({ program, sonames })).map(({ path }) => path);

  it('takes what the configuration names, and all where a server has none', async () => {
    const conf = {
      '/etc/nginx/modules-enabled/50-a.conf': text('load_module modules/ngx_a.so;\n#load_module ngx_b.so;'),
    };
    expect(await found(conf, '/usr/sbin/nginx')).toEqual(['/usr/lib/nginx/modules/ngx_a.so']);
    expect(await found({ '/etc/nginx/nginx.conf': text('events {}') }, '/usr/sbin/nginx')).toEqual([]);
    expect(await found({}, '/usr/sbin/nginx')).toHaveLength(2);
  });
  it('goes by the program or by a library of it', async () => {
    expect(await found({}, '/usr/bin/python3.11')).toEqual([
      '/opt/venv/lib/python3.11/site-packages/x/y.so',
      '/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so',
    ]);
    expect(await found({}, '/usr/bin/other', 'libpython3.11.so.1.0')).toHaveLength(2);
    expect(await found({}, '/usr/bin/ls', 'libc.so.6')).toEqual([]);
  });
  it('knows the linker plugin of compilers that link to it and of those that have it in place', async () => {
    const plugin = (version: number) => `/usr/lib/gcc/x86_64-linux-gnu/${version}/liblto_plugin.so`;
    const plugins = {
      [`${plugin(10)}.0.0.0`]: elf,
      [plugin(10)]: { link: 'liblto_plugin.so.0.0.0' },
      [plugin(12)]: elf,
    };
    expect(await found(plugins, '/usr/bin/x86_64-linux-gnu-ld.bfd')).toEqual([
      `${plugin(10)}.0.0.0`,
      plugin(12),
    ]);
  });
  it("gives Neko's programs its libraries, not Apache's modules for it", async () => {
    const directory = '/usr/lib/x86_64-linux-gnu/neko';
    const libraries = { [`${directory}/std.ndll`]: elf, [`${directory}/mod_neko2.ndll`]: elf };
    expect(await found(libraries, '/usr/bin/haxelib', 'libneko.so.2')).toEqual([`${directory}/std.ndll`]);
  });
  it('follows links in the directory of a rule', async () => {
    const linked = {
      '/usr/lib/julia/libgit2.so': { link: '../libgit2.so.1.1' },
      '/usr/lib/libgit2.so.1.1': elf,
    };
    expect(await found(linked, '/usr/bin/julia')).toEqual(['/usr/lib/libgit2.so.1.1']);
  });
  it('opens engines and PAM modules by name alone', async () => {
    const legacy = '/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so';
    expect(await found({}, '/bin/x', 'libcrypto.so.3')).toEqual([legacy]);
    const cnf = { '/etc/ssl/openssl.cnf': text('[e]\nengine_id = afalg\n') };
    expect(await found(cnf, '/bin/x', 'libcrypto.so.3')).toHaveLength(2);
    const pam = {
      '/etc/pam.d/common-auth': text('# auth pam_exec.so\nauth [success=1] pam_unix.so nullok\n'),
    };
    expect(await found(pam, '/bin/x', 'libpam.so.0')).toEqual([
      '/usr/lib/x86_64-linux-gnu/security/pam_unix.so',
    ]);
  });
  it('knows what PAM and SASL ask for', async () => {
    const files = await lateFilesOf(
      memoryTree({ ...modules, '/usr/lib/x86_64-linux-gnu/sasl2/libsasldb.so.2.0.25': elf }),
    )({ program: '/bin/x', sonames: ['libpam.so.0', 'libsasl2.so.2', 'libcrypto.so.3'] });
    const asked = Object.fromEntries(files.map((file) => [posix.basename(file.path), file.asked]));
    expect(asked['legacy.so']).toBeUndefined();
    expect(asked['libsasldb.so.2.0.25']).toMatchObject({ sasl_auxprop_plug_init: ['sasl_server_init'] });
    expect(asked['pam_unix.so']).toMatchObject({ pam_sm_open_session: ['pam_open_session'] });
  });
  it('follows links to enabled configuration, and leaves what is only available', async () => {
    const load = text('load_module modules/ngx_b.so;');
    const available = {
      '/usr/share/nginx/modules-available/b.conf': load,
      '/etc/nginx/nginx.conf': text(''),
    };
    expect(await found(available, '/usr/sbin/nginx')).toEqual([]);
    const enabled = {
      ...available,
      '/etc/nginx/modules-enabled/b.conf': { link: '/usr/share/nginx/modules-available/b.conf' },
    };
    expect(await found(enabled, '/usr/sbin/nginx')).toEqual(['/usr/lib/nginx/modules/ngx_b.so']);
  });
  it('takes modules that lie with the application', async () => {
    const own = { '/app/native/fast.so': elf, '/opt/app/libJni.so': elf };
    expect(await found(own, '/usr/lib/jvm/17/bin/java', 'libjli.so')).toEqual([
      '/app/native/fast.so',
      '/opt/app/libJni.so',
      '/opt/venv/lib/python3.11/site-packages/x/y.so',
    ]);
    expect(await found(own, '/usr/bin/ls')).toEqual([]);
  });
  it('gives the loader the names that Mono maps', async () => {
    const config = { '/etc/mono/config': text('<dllmap dll="libc" target="libc.so.6" os="linux"/>') };
    expect(await found(config, '/usr/bin/mono-sgen')).toContain('libc.so.6');
    expect(await found(config, '/usr/bin/ls')).toEqual([]);
  });
});

describe('name services', () => {
  it('are those of the databases that are asked', async () => {
    const services = await readNameServices(
      memoryTree({
        '/etc/nsswitch.conf': text(
          'passwd: files sss\nservices: db files\nhosts: files [!UNAVAIL=return] dns # x\n',
        ),
      }),
    );
    expect(nameServiceObjects(services, ['getpwnam_r', 'malloc'])).toEqual([
      { path: 'libnss_files.so.2', reason: 'nsswitch.conf: passwd: files' },
      { path: 'libnss_sss.so.2', reason: 'nsswitch.conf: passwd: sss' },
    ]);
    expect(nameServiceObjects(services, ['getaddrinfo']).map(({ path }) => path)).toEqual([
      'libnss_files.so.2',
      'libnss_dns.so.2',
      'libnss_db.so.2',
    ]);
    expect(nameServiceObjects(services, ['malloc'])).toEqual([]);
  });
  it('have defaults without a configuration, and take no path from one', async () => {
    const none = await readNameServices(memoryTree({}));
    expect(none.get('hosts')).toEqual(['dns', 'files']);
    const hostile = await readNameServices(
      memoryTree({ '/etc/nsswitch.conf': text('hosts: ../../x a/b ok\n') }),
    );
    expect(hostile.get('hosts')).toEqual(['ok']);
  });
});

describe('characterSetObjects', () => {
  const tree = memoryTree({ '/usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so': elf });
  const count = (callers: string[], env: Record<string, string>) =>
    characterSetObjects(tree, callers, new Map(Object.entries(env))).length;
  it('are needed by callers of their own, and by locales of other character sets', () => {
    expect(count([], {})).toBe(0);
    expect(count(['libidn2.so.0', 'libstdc++.so.6'], { LANG: 'C.UTF-8' })).toBe(0);
    expect(count(['libxml2.so.2'], {})).toBe(1);
    expect(count([], { LANG: 'C', LC_ALL: 'ja_JP.eucJP' })).toBe(1);
    expect(count([], { LANG: 'de_DE@euro' })).toBe(1);
  });
});
