import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CorpusLock, type Digest, ProfGenError } from '@prof-gen/core';
import { buildError } from './build-error.js';
import { addToLock, blobPath, hasBlob, lockPath, readLock } from './layout.js';
import { packLayer } from './pack-layer.js';
import { readPackages } from './read-packages.js';
import { runApart, runTool, type ToolOptions } from './run-tool.js';
import { sourcesName, sourcesOf, type Suite } from './suites.js';
import { removeTree } from './work-directory.js';

/** Raised when another base is made from equal sources. */
const baseVersion = 1;

const script = fileURLToPath(new URL('../assets/build-base.sh', import.meta.url));

export interface BuildPlaces {
  readonly layout: string;
  /** Kept between builds: packages, package lists, unpacked bases, logs. */
  readonly cache: string;
  /** Of this process alone, removed at its end. */
  readonly work: string;
  readonly mirror: string;
  readonly signal: AbortSignal | undefined;
}

export interface Base {
  readonly layer: Digest;
  readonly size: number;
  readonly packages: Readonly<Record<string, string>>;
  /** Its files, for an overlay's lower directory. */
  readonly directory: string;
  /** All paths in it, as `./a/b`. */
  readonly names: readonly string[];
}

type SuiteLock = CorpusLock['suites'][string];

/** apt's lists and packages for the sources; shared by all builds from them. */
export async function aptDirectory(cache: string, suite: Suite, sources: string): Promise<string> {
  const apt = join(cache, 'apt', sourcesName(suite, sources));
  await mkdir(join(apt, 'lists/partial'), { recursive: true });
  await mkdir(join(apt, 'cache/archives/partial'), { recursive: true });
  return apt;
}

/** Whether apt has lists, so that it can do without the network. */
export async function hasLists(apt: string): Promise<boolean> {
  return (await readdir(join(apt, 'lists'))).some(
    (name) => name.endsWith('_Packages') || name.includes('_Packages.'),
  );
}

function baseKey(suite: Suite, mirror: string): string {
  return createHash('sha256')
    .update(JSON.stringify([baseVersion, suite, sourcesOf(suite, false, mirror)]))
    .digest('hex');
}

/**
 * The base layer of a suite: the one that the layout has, or a new one.
 * @param refresh fetches the lists of packages anew and makes the base again
 * @throws ProfGenError `environment/*`, `corpus/base-failed`
 */
export async function provideBase(
  suite: Suite,
  refresh: boolean,
  places: BuildPlaces,
  onBuild: () => void,
): Promise<Base> {
  const { layout, cache, mirror } = places;
  const key = baseKey(suite, mirror);
  // The cache has a layout of its own with the bases alone, so that layouts share them.
  const store = join(cache, 'bases');
  let base = refresh ? undefined : await keptBase(layout, suite, key);
  if (!refresh) base ??= await keptBase(store, suite, key);
  if (base === undefined) {
    onBuild();
    base = await makeBaseFromMirror(suite, refresh, key, store, places);
  }
  if (!(await hasBlob(layout, base.layer, base.size))) {
    await mkdir(dirname(blobPath(layout, base.layer)), { recursive: true });
    const partial = `${blobPath(layout, base.layer)}.partial`;
    await copyFile(blobPath(store, base.layer), partial, constants.COPYFILE_FICLONE);
    await rename(partial, blobPath(layout, base.layer));
  }
  await addToLock(layout, { suites: { [suite]: base } });
  const directory = await unpackBase(base.layer, places);
  const names = (await readFile(`${directory}.names`, 'utf8')).split('\0').slice(0, -1);
  return { layer: base.layer, size: base.size, packages: base.packages, directory, names };
}

/** Mirrors replace packages; lists of yesterday name those of yesterday. */
async function makeBaseFromMirror(...args: Parameters<typeof makeBase>): Promise<SuiteLock> {
  const [suite, refresh, ...rest] = args;
  return makeBase(...args).catch((thrown: unknown) => {
    if (refresh || !(thrown instanceof ProfGenError) || thrown.code !== 'corpus/package-gone') throw thrown;
    return makeBase(suite, true, ...rest);
  });
}

async function keptBase(layout: string, suite: Suite, key: string): Promise<SuiteLock | undefined> {
  const known = (await readLock(lockPath(layout)))?.suites[suite];
  return known?.key === key && (await hasBlob(layout, known.layer, known.size)) ? known : undefined;
}

async function makeBase(
  suite: Suite,
  refresh: boolean,
  key: string,
  store: string,
  places: BuildPlaces,
): Promise<SuiteLock> {
  const { cache, work, mirror, signal } = places;
  const log = join(cache, 'logs', `${suite}.log`);
  await mkdir(join(cache, 'logs'), { recursive: true });
  await writeFile(log, '');
  const sources = sourcesOf(suite, false, mirror);
  const apt = await aptDirectory(cache, suite, sources);
  const target = join(work, `base-${suite}`);
  const options = [
    // Dates of old and moving suites run out.
    ...(suite === 'sid' || suite === 'bullseye' ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    ...(!refresh && (await hasLists(apt)) ? ['--skip=update'] : []),
  ];
  const since = Math.floor(Date.now() / 1000) - 1;
  try {
    const status = await runApart([script, suite, target, apt, sources.trimEnd(), ...options], {
      log,
      signal,
    });
    if (status !== 0) throw buildError(suite, 'base', await readFile(log, 'utf8'), log);
    const layer = await packLayer(target, store, since, log, signal);
    const base: SuiteLock = {
      key,
      layer: layer.digest,
      size: layer.size,
      packages: await readPackages(`${target}.packages`),
    };
    await addToLock(store, { suites: { [suite]: base } });
    return base;
  } finally {
    await removeTree(target);
  }
}

/** Unpacks the layer, so that images are built on what others will have below them, to the second. */
async function unpackBase(layer: Digest, places: BuildPlaces): Promise<string> {
  const { layout, cache, work, signal } = places;
  const bases = join(cache, 'unpacked');
  const directory = join(bases, layer.slice('sha256:'.length));
  const present = await readFile(`${directory}.names`).then(
    () => true,
    () => false,
  );
  if (present) return directory;
  const partial = join(work, `unpacked-${layer.slice('sha256:'.length, -52)}`);
  const log = join(cache, 'logs', 'unpack.log');
  await mkdir(join(cache, 'logs'), { recursive: true });
  await mkdir(bases, { recursive: true });
  await mkdir(partial);
  await runOrThrow(
    [
      'tar',
      ...['--extract', `--file=${blobPath(layout, layer)}`, `--directory=${partial}`, '--numeric-owner'],
      ...['--same-owner', '--preserve-permissions', '--delay-directory-restore'],
      ...['--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*'],
    ],
    { log, signal },
  );
  const list = join(work, 'names');
  await runOrThrow(['sh', '-c', 'cd "$1" && find . -mindepth 1 -print0 >"$2"', 'sh', partial, list], {
    log,
    signal,
  });
  await rm(directory, { recursive: true, force: true });
  await rename(partial, directory);
  // Last, as the sign that all of it is there.
  await rename(list, `${directory}.names`);
  return directory;
}

async function runOrThrow(argv: readonly string[], options: ToolOptions): Promise<void> {
  const status = await runTool(argv, options);
  if (status !== 0) throw new Error(`${argv[0]} ended with ${status}: see ${options.log}`);
}
