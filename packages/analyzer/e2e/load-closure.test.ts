import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loaderFacts, loadClosure, readLoaderConfig } from '../src/index.js';
import { diskTree } from '@prof-gen/testkit';

const loader = '/lib64/ld-linux-x86-64.so.2';
const tree = diskTree('/');

async function closureOf(path: string, variables: { libraryPath: string; preload: string }) {
  const found = tree.resolve(path);
  if (!found.ok) throw new Error(`${path} is not there`);
  return loadClosure({
    tree,
    program: found.entry,
    variables,
    config: await readLoaderConfig(tree),
    dynamic: async (entry) => loaderFacts(await tree.read(entry)),
  });
}

/** Dynamic programs of this machine that every Debian has, and whatever else is in /usr/bin, evenly spread. */
async function programs(): Promise<string[]> {
  const always = ['ls', 'bash', 'apt-get', 'perl', 'gpgv', 'tar', 'find', 'openssl', 'python3', 'login'];
  const others: string[] = [];
  const names = readdirSync('/usr/bin').sort();
  for (let i = 0; i < names.length; i += Math.max(1, Math.floor(names.length / 60))) {
    const found = tree.resolve(join('/usr/bin', names[i] as string));
    if (!found.ok || found.entry.kind !== 'elf') continue;
    const info = loaderFacts(await tree.read(found.entry));
    if (info?.interpreter === loader) others.push(found.entry.path);
  }
  const present = always.map((name) => `/usr/bin/${name}`).filter((path) => tree.resolve(path).ok);
  return [...new Set([...present.map((path) => realpathSync(path)), ...others])];
}

/** What the real loader of this machine says, as the trusted programs of this machine may be asked. */
function listed(path: string, env: NodeJS.ProcessEnv): Set<string> {
  const output = execFileSync(loader, ['--list', path], { env, encoding: 'utf8' });
  const paths = output
    .split('\n')
    .map((line) => /^\s*(?:.*=> )?(\/\S+)(?: \(0x[0-9a-f]+\))$/.exec(line)?.[1]);
  return new Set(paths.filter((one) => one !== undefined).map((one) => realpathSync(one)));
}

describe('loadClosure', () => {
  it('gives what the real loader gives', async () => {
    const chosen = await programs();
    expect(chosen.length).toBeGreaterThanOrEqual(20);
    for (const path of chosen) {
      const closure = await closureOf(path, { libraryPath: '', preload: '' });
      const mine = closure.objects.filter(({ role }) => role !== 'program' && !role.startsWith('late'));
      expect(new Set(mine.map(({ entry }) => entry.path)), path).toEqual(listed(path, {}));
      expect(closure.undecided, path).toEqual([]);
    }
  });

  it('follows LD_LIBRARY_PATH and LD_PRELOAD as the real loader does', async () => {
    const preload = realpathSync('/lib/x86_64-linux-gnu/libm.so.6');
    const variables = { libraryPath: '/usr/lib/x86_64-linux-gnu:/lib', preload: 'libm.so.6' };
    const { objects } = await closureOf('/usr/bin/ls', variables);
    expect(objects[1]?.entry.path).toBe(preload);
    expect(objects[1]?.role).toBe('preload');
    expect(new Set(objects.slice(1).map(({ entry }) => entry.path))).toEqual(
      listed('/usr/bin/ls', { LD_LIBRARY_PATH: variables.libraryPath, LD_PRELOAD: variables.preload }),
    );
  });
});
