// The root file system of the soundness check: datasets/soundness/soundness.yaml unpacked, with the fixtures of
// datasets/soundness/fixtures compiled by its own compilers into /opt/soundness. Kept in .cache/soundness.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const workspace = join(import.meta.dirname, '../..');
export const cache = join(workspace, '.cache/soundness');
const fixtures = join(workspace, 'datasets/soundness/fixtures');

/** Runs a command in `rootfs` as enter-rootfs.sh says; `shared` is /shared there. Seconds may be given as a limit. */
export function inRootfs(rootfs, shared, argv, { seconds = 600 } = {}) {
  const own = ['--mount', '--pid', '--net', '--ipc', '--uts', '--propagation', 'private'];
  return run(
    'timeout',
    [
      ...['-s', 'KILL', `${seconds}`],
      ...['unshare', ...own, '--fork', '--kill-child'],
      ...[join(import.meta.dirname, 'enter-rootfs.sh'), rootfs, shared],
      ...argv,
    ],
    { maxBuffer: 256 << 20, encoding: 'latin1' },
  );
}

/** Gives the directory, made when the recipe or a fixture has changed. Root is needed: files have owners. */
export async function provideRootfs() {
  if (process.getuid() !== 0) throw new Error('the check makes a root file system: run it as root');
  const { stdout } = await run('node', [
    join(workspace, 'scripts/build-images.mjs'),
    ...['--no-load', '--paths', 'soundness'],
  ]);
  const archive = stdout.trim();
  const sources = await hashOf(fixtures);
  const rootfs = join(cache, `rootfs-${basename(archive, '.tar').replace('soundness-', '')}-${sources}`);
  if (existsSync(rootfs)) return rootfs;
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    if (name.startsWith('rootfs-')) await rm(join(cache, name), { recursive: true });
  }
  const partial = join(cache, `partial-${process.pid}`);
  const shared = join(cache, `fixtures-${process.pid}`);
  try {
    await mkdir(partial);
    process.stderr.write('soundness: unpacking the root file system\n');
    await run('sh', [
      '-c',
      'tar -xOf "$1" layer.tar | tar -x -C "$2" --numeric-owner --xattrs --xattrs-include="*"',
      ...['sh', archive, partial],
    ]);
    process.stderr.write('soundness: compiling the fixtures\n');
    await cp(fixtures, shared, { recursive: true });
    await inRootfs(partial, shared, ['make', '-s', '-j2', '-C', '/shared', 'OUT=/shared/out']);
    await cp(join(shared, 'out'), join(partial, 'opt/soundness'), { recursive: true });
    await rename(partial, rootfs);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(shared, { recursive: true, force: true });
  }
  return rootfs;
}

/** Of names and contents of all files below a directory; short, for names of files. */
export async function hashOf(directory, pattern = /./) {
  const hash = createHash('sha256');
  const names = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const name of names.sort()) hash.update(name.slice(directory.length)).update(await readFile(name));
  return hash.digest('hex').slice(0, 16);
}
