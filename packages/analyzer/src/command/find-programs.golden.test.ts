import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MemoryFile, memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { findPrograms } from './find-programs.js';

const directory = fileURLToPath(new URL('golden/', import.meta.url));
const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);

const tools = (
  'awk basename bash cat chmod chown chroot cp createdb createuser curl cut dash date dirname dpkg-query env ' +
  'envsubst expr find flock gosu grep gunzip hostname id initdb ionice ls md5sum mkdir myapp mysql mysqladmin mysqld ' +
  'nginx nice nohup perl pg_ctl pg_isready postgres psql python3.11 redis-cli redis-server rm runuser sed setpriv ' +
  'setsid sleep sort stdbuf su sudo timeout tini tr uniq xargs'
).split(' ');

function filesUnder(root: string, at = ''): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(join(root, at))) {
    const path = `${at}/${name}`;
    if (statSync(join(root, path)).isDirectory()) Object.assign(files, filesUnder(root, path));
    else files[path] = readFileSync(join(root, path), 'utf8');
  }
  return files;
}

/** Each directory is a case: `command.json`, files of the image under `root/`, and what is to be found. */
describe('programs of', () => {
  it.each(readdirSync(directory))('%s', async (name) => {
    const base: Record<string, MemoryFile | Uint8Array> = {
      '/bin': { link: 'usr/bin' },
      '/usr/bin/sh': { link: 'dash' },
      '/usr/bin/python3': { link: 'python3.11' },
      '/lib64/ld-linux-x86-64.so.2': elf,
      '/opt/java/bin/java': elf,
      '/opt/bb/busybox': elf,
      '/opt/bb/sh': { link: 'busybox' },
      '/opt/bb/ls': { link: 'busybox' },
      '/opt/bb/env': { link: 'busybox' },
      '/etc/passwd': { content: 'root:x:0:0::/root:/bin/bash\n', mode: 0o644 },
    };
    for (const tool of tools) base[`/usr/bin/${tool}`] = elf;
    const given = JSON.parse(readFileSync(join(directory, name, 'command.json'), 'utf8'));
    const found = await findPrograms({
      tree: memoryTree({ ...base, ...filesUnder(join(directory, name, 'root')) }),
      command: { env: [], workingDir: '/', user: '', ...given },
      healthcheck: given.healthcheck ?? [],
      shell: ['/bin/sh', '-c'],
    });
    const shown = {
      programs: found.programs.map(({ path, calledAs, origin, environments }) => ({
        path,
        ...(calledAs.length > 0 ? { calledAs } : {}),
        origin,
        ...(environments.some((one) => one.preload || one.libraryPath) ? { environments } : {}),
      })),
      undecided: found.undecided,
    };
    await expect(`${JSON.stringify(shown, null, 1)}\n`).toMatchFileSnapshot(
      join(directory, name, 'found.golden.json'),
    );
  });
});
