import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CorpusLock, type CorpusPhase, type ImageRecipe, ProfGenError } from '@prof-gen/core';
import { buildError } from './build-error.js';
import { imageConfigFile } from './image-config-file.js';
import { addImage } from './layout.js';
import { fetchNpmPackages } from './npm-packages.js';
import { markDeletions, packLayer } from './pack-layer.js';
import { aptDirectory, type Base, type BuildPlaces, hasLists } from './provide-base.js';
import { readPackages } from './read-packages.js';
import { recipeFiles } from './recipe-files.js';
import { runApart } from './run-tool.js';
import { sourcesOf } from './suites.js';
import { removeTree } from './work-directory.js';

/** Raised when another layer is made from an equal recipe. */
const builderVersion = 1;

const script = fileURLToPath(new URL('../assets/build-image.sh', import.meta.url));

export type BuiltImage = CorpusLock['images'][string];

/** Of all that decides what an image is, the versions of its packages excepted. */
export function imageKey(recipe: ImageRecipe, base: string): string {
  return createHash('sha256')
    .update(JSON.stringify([builderVersion, recipe, base]))
    .digest('hex');
}

/**
 * Builds the layer of one recipe on its base and names the image in the layout.
 * @param refresh fetches the lists of packages anew
 * @throws ProfGenError `environment/*`, `corpus/*`
 */
export async function buildImage(
  recipe: ImageRecipe,
  base: Base,
  refresh: boolean,
  places: BuildPlaces,
  onPhase: (phase: CorpusPhase) => void,
): Promise<BuiltImage> {
  const { layout, cache, work, mirror, signal } = places;
  const { name, suite, packages, npm, directories, debconf, setup, remove } = recipe;
  const log = join(cache, 'logs', `${name}.log`);
  const job = join(work, name);
  await mkdir(join(cache, 'logs'), { recursive: true });
  await writeFile(log, '');
  await mkdir(job, { recursive: true });
  const since = Math.floor(Date.now() / 1000) - 1;
  try {
    const sources = sourcesOf(suite, recipe.backports, mirror);
    const apt = await aptDirectory(cache, suite, sources);
    const put = (file: string, lines: readonly string[]) =>
      lines.length > 0 ? writeFile(join(job, file), `${lines.join('\n')}\n`) : undefined;
    const made = (isRoots: boolean) =>
      directories
        .filter(({ owner }) => (owner === 'root') === isRoots)
        .map(({ path, owner, mode }) => `${owner} ${mode.toString(8)} ${path}`);
    await Promise.all([
      writeFile(join(job, 'sources'), sources),
      writeFile(join(job, 'files.tar'), recipeFiles(recipe)),
      put('packages', packages),
      put('debconf', debconf),
      // Root's are there before the packages, whose scripts may need them; other owners come with the packages.
      put('directories-before', made(true)),
      put('directories-after', made(false)),
      put('setup', setup),
      put('remove', remove),
      refresh || !(await hasLists(apt)) ? writeFile(join(job, 'update'), '') : undefined,
    ]);
    if (npm.length > 0) {
      onPhase('npm');
      const place = join(job, 'npm');
      await mkdir(place);
      const tar = await fetchNpmPackages(npm, name, place, join(cache, 'npm'), { log, signal });
      await writeFile(join(job, 'npm.tar'), await readFile(tar));
      await rm(place, { recursive: true });
    }
    let phase: CorpusPhase = 'files';
    const status = await runApart([script, job, base.directory, apt], {
      log,
      signal,
      onLine(line) {
        if (!line.startsWith('@@ ')) return;
        phase = line.slice(3) as CorpusPhase;
        onPhase(phase);
      },
    });
    if (status === 90) throw noOverlay(cache);
    if (status !== 0) throw buildError(name, phase, await readFile(log, 'utf8'), log);

    const upper = join(job, 'upper');
    const names = (await readFile(join(job, 'names'), 'utf8')).split('\0').slice(0, -1);
    await markDeletions(upper, base.names, new Set(names));
    const layer = await packLayer(upper, layout, since, log, signal);
    const installed = await readPackages(join(job, 'installed'));
    const layers = [{ digest: base.layer, size: base.size }, layer];
    const config = imageConfigFile(recipe, [base.layer, layer.digest]);
    return {
      key: imageKey(recipe, base.layer),
      suite,
      base: base.layer,
      layer: layer.digest,
      size: layer.size,
      manifest: await addImage(layout, name, config, layers),
      packages: Object.fromEntries(
        Object.entries(installed).filter(([one, version]) => base.packages[one] !== version),
      ),
    };
  } finally {
    await removeTree(job);
  }
}

function noOverlay(cache: string): ProfGenError {
  return new ProfGenError('environment/no-overlay', `the kernel does not mount an overlay in ${cache}`, {
    hint: 'choose a directory on ext4, xfs, btrfs or tmpfs: --cache DIR',
  });
}
