// The root file system of the soundness check: datasets/soundness/soundness.yaml unpacked, with the fixtures of
// datasets/soundness/fixtures compiled by its own compilers into /opt/soundness. Kept in .cache/soundness.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
  await buildImage();
  const layout = join(workspace, '.cache/corpus');
  const image = await ociImage(layout, 'soundness');
  const sources = await hashOf(fixtures);
  const rootfs = join(cache, `rootfs-${image.digest.slice('sha256:'.length, 23)}-${sources}`);
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
    for (const layer of image.layers) await unpackLayer(layer, partial);
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

/** Builds datasets/soundness/soundness.yaml into the layout of the corpus unless it is there. */
async function buildImage() {
  const build = ['corpus', 'build', 'soundness', '--recipes', join(workspace, 'datasets/soundness')];
  const program = join(workspace, 'packages/cli/bin/prof-gen.js');
  await run('node', [program, ...build, '--layout', join(workspace, '.cache/corpus'), '--quiet']);
}

/** The digest of an image of the layout, and the files of its layers, which are not compressed. */
async function ociImage(layout, name) {
  const blob = (digest) => join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
  const read = async (file) => JSON.parse(await readFile(file, 'utf8'));
  const { manifests } = await read(join(layout, 'index.json'));
  const { digest } = manifests.find(
    ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === name,
  );
  const { layers } = await read(blob(digest));
  return { digest, layers: layers.map((layer) => blob(layer.digest)) };
}

/** Unpacks one layer over those below it, and does what its whiteouts say. */
async function unpackLayer(layer, directory) {
  const kept = ['--numeric-owner', '--xattrs', '--xattrs-include=*'];
  await run('tar', ['--extract', `--file=${layer}`, `--directory=${directory}`, ...kept]);
  const { stdout } = await run('find', [directory, '-name', '.wh.*', '-print0']);
  for (const whiteout of stdout.split('\0').filter((path) => path !== '')) {
    await rm(join(dirname(whiteout), basename(whiteout).slice('.wh.'.length)), {
      recursive: true,
      force: true,
    });
    await rm(whiteout);
  }
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
