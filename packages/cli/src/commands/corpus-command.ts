import { join } from 'node:path';
import { type ImageRecipe, ProfGenError } from '@prof-gen/core';
import { buildCorpus, type CorpusEntry, listCorpus, loadCorpus, pushCorpus } from '@prof-gen/corpus';
import { loadRecipes } from '@prof-gen/runner';
import type { Command } from 'commander';
import { cacheDirectory } from '../cache-directory.js';
import { exitCodeOf, exitCodes } from '../exit-code.js';
import type { Io } from '../io.js';
import { textTable } from '../reporters/text-table.js';
import { engineSocket, withEvents } from '../session.js';
import { positiveInteger } from './session-options.js';

interface CorpusOptions {
  readonly recipes: string;
  readonly layout: string;
  readonly quiet?: boolean;
  readonly progress: boolean;
}

interface BuildOptions extends CorpusOptions {
  readonly cache?: string;
  readonly jobs?: number;
  readonly refresh?: boolean;
  readonly mirror?: string;
  readonly lock?: string;
}

const about = `
A recipe (datasets/debian-official/NAME.yaml) says how an image is rebuilt from Debian and npm packages.
Images go into an OCI layout, so that oci:.cache/corpus:NAME names one everywhere.

Examples:
  prof-gen corpus list
  prof-gen corpus build redis nginx
  prof-gen corpus load redis nginx
  prof-gen profile --static oci:.cache/corpus:redis
`;

const buildHelp = `
No engine is needed, but root, mmdebstrap, and a mirror of Debian's packages; what was fetched once is kept
in the cache and not asked for again. Each image is kept as soon as it is whole: after an interruption the
same command goes on with what is left. Equal recipes and package versions give equal digests; what was
installed stands in LAYOUT/corpus.lock.json.

Examples:
  prof-gen corpus build
  prof-gen corpus build redis nginx --jobs 4
  prof-gen corpus build --refresh
  prof-gen corpus build --lock ../theirs/corpus.lock.json

Exit codes: 0 good, 1 all failed, 2 usage, 4 some images failed, 5 environment.
`;

const loadHelp = `
Images become prof-gen/NAME:latest. Those that the engine has already are left alone.

Examples:
  prof-gen corpus load
  prof-gen corpus load redis tools

Exit codes: 0 good, 1 failed, 2 usage, 5 environment.
`;

const pushHelp = `
REGISTRY is a host and perhaps a path below it; images become REGISTRY/NAME:latest. Credentials are those of
docker login. Layers that the registry has are not sent, and equal ones once.

Examples:
  prof-gen corpus push localhost:5000
  prof-gen corpus push registry.example/corpus redis nginx

Exit codes: 0 good, 1 failed, 2 usage, 5 environment.
`;

const listHelp = `
Examples:
  prof-gen corpus list
  prof-gen corpus list --json

Exit codes: 0 good, 2 usage.
`;

/** `prof-gen corpus`: images from packages. */
export function defineCorpusCommand(program: Command, io: Io, exit: (code: number) => void): void {
  const corpus = program
    .command('corpus')
    .summary('build images from Debian packages, list, load and push them')
    .description(
      'A corpus of images that anyone can rebuild: from Debian and npm packages, without an engine.',
    )
    .addHelpText('after', about);

  const command = (name: string) =>
    corpus
      .command(name)
      .option('--recipes <dir>', 'directory of recipes', 'datasets/debian-official')
      .option('--layout <dir>', 'OCI layout of the images', '.cache/corpus');
  const working = (name: string) =>
    command(name)
      .option('-q, --quiet', 'print results, warnings and errors only')
      .option('--no-progress', 'lines instead of a live display');

  working('build')
    .summary('build the images that are missing')
    .description('Build the images of recipes that the layout lacks, or has of an earlier recipe.')
    .argument('[name...]', 'recipes; all of them unless named')
    .option('--cache <dir>', 'directory for packages (default: $PROF_GEN_CACHE or ~/.cache/prof-gen)')
    .option('-j, --jobs <n>', 'images under way at once (default: 2)', positiveInteger)
    .option('--refresh', 'fetch lists of packages anew, and build again what is there')
    .option(
      '--mirror <url>',
      "in place of http://deb.debian.org/{archive}, {archive} being Debian's name of it",
    )
    .option('--lock <file>', 'fail unless the images are those of this corpus.lock.json')
    .addHelpText('after', buildHelp)
    .action(async (names: string[], options: BuildOptions) => {
      exit(await build(io, names, options));
    });

  command('list')
    .summary('list recipes and what is built of them')
    .description('List the recipes, and the images that the layout has of them.')
    .argument('[name...]', 'recipes; all of them unless named')
    .option('--json', 'print JSON')
    .addHelpText('after', listHelp)
    .action(async (names: string[], options: CorpusOptions & { readonly json?: boolean }) => {
      const entries = await listCorpus(await loadRecipes(options.recipes, names), options.layout);
      io.stdout.write(options.json ? listJson(entries) : listTable(entries));
      exit(exitCodes.good);
    });

  working('load')
    .summary('bring images into the container engine')
    .description('Bring images into the container engine, as prof-gen/NAME:latest.')
    .argument('[name...]', 'recipes; all that are built unless named')
    .addHelpText('after', loadHelp)
    .action(async (names: string[], options: CorpusOptions) => {
      const built = await builtNames(names, options);
      const loaded = await withEvents(io, options, (onEvent, signal) =>
        loadCorpus(built, { layout: options.layout, engine: engineSocket(io), onEvent, signal }),
      );
      io.stdout.write(`${loaded} loaded, ${built.length - loaded} in the engine already\n`);
      exit(exitCodes.good);
    });

  working('push')
    .summary('fill a registry')
    .description('Push images into a registry.')
    .argument('<registry>', 'host[:port][/path]')
    .argument('[name...]', 'recipes; all that are built unless named')
    .addHelpText('after', pushHelp)
    .action(async (registry: string, names: string[], options: CorpusOptions) => {
      const built = await builtNames(names, options);
      const bytes = await withEvents(io, options, (onEvent, signal) =>
        pushCorpus(registry, built, { layout: options.layout, onEvent, signal }),
      );
      io.stdout.write(`${built.length} pushed, ${megabytes(bytes)} MB sent\n`);
      exit(exitCodes.good);
    });
}

async function build(io: Io, names: readonly string[], options: BuildOptions): Promise<number> {
  const { layout, jobs, refresh, mirror, lock } = options;
  const recipes = await loadRecipes(options.recipes, names);
  if (mirror !== undefined && !URL.canParse(mirror)) {
    throw new ProfGenError(
      'usage/options',
      '--mirror wants an address such as http://mirror.example/{archive}',
    );
  }
  const summary = await withEvents(io, options, (onEvent, signal) =>
    buildCorpus(recipes, {
      layout,
      cache: join(cacheDirectory(io, options.cache), 'corpus'),
      refresh: refresh === true,
      onEvent,
      signal,
      ...(jobs === undefined ? {} : { jobs }),
      ...(mirror === undefined
        ? {}
        : { mirror: mirror.includes('{archive}') ? mirror : `${mirror}/{archive}` }),
      ...(lock === undefined ? {} : { lock }),
    }),
  );
  const failed = summary.images.filter(({ error }) => error !== undefined);
  const built = summary.images.filter(({ error, seconds }) => error === undefined && seconds !== undefined);
  const atHand = summary.images.length - failed.length - built.length;
  io.stdout.write(`${built.length} built, ${atHand} at hand, ${failed.length} failed\n`);
  if (failed.length === 0) return exitCodes.good;
  if (failed.length < summary.images.length) return exitCodes.partly;
  return exitCodeOf(failed[0]?.error?.code ?? 'corpus/build-failed');
}

/** Named ones whether built or not, so that what is missing is an error; else those that are there. */
async function builtNames(names: readonly string[], options: CorpusOptions): Promise<string[]> {
  const recipes: ImageRecipe[] = await loadRecipes(options.recipes, names);
  if (names.length > 0) return recipes.map(({ name }) => name);
  const entries = await listCorpus(recipes, options.layout);
  const built = entries.filter(({ state }) => state === 'built').map(({ recipe }) => recipe.name);
  if (built.length > 0) return built;
  throw new ProfGenError('corpus/not-built', 'no image is built', { hint: 'first: prof-gen corpus build' });
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

function listTable(entries: readonly CorpusEntry[]): string {
  return textTable(
    ['image', 'official', 'suite', 'state', 'MB', 'packages', 'digest'],
    entries.map(({ recipe, state, image }) => [
      recipe.name,
      recipe.official ?? '',
      recipe.suite,
      state,
      ...(image === undefined
        ? ['', '', '']
        : [
            megabytes(image.size),
            String(Object.keys(image.packages).length),
            image.manifest.slice('sha256:'.length).slice(0, 12),
          ]),
    ]),
  );
}

function listJson(entries: readonly CorpusEntry[]): string {
  const images = entries.map(({ recipe, state, image }) => ({
    name: recipe.name,
    official: recipe.official,
    suite: recipe.suite,
    state,
    ...image,
  }));
  return `${JSON.stringify({ schemaVersion: 1, images }, undefined, 2)}\n`;
}
