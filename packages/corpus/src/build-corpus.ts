import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type CorpusLock,
  type ErrorData,
  type EventSink,
  errorData,
  type ImageRecipe,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import { buildImage, type BuiltImage, imageKey } from './build-image.js';
import { checkMachine } from './check-machine.js';
import { addToLock, findImage, lockPath, readLock } from './layout.js';
import { type Base, type BuildPlaces, provideBase } from './provide-base.js';
import { defaultMirror, type Suite } from './suites.js';
import { lockLayout, openWorkDirectory } from './work-directory.js';

export interface BuildCorpusOptions {
  /** The OCI layout that images go into. */
  readonly layout: string;
  /** Directory for packages, package lists, bases and logs; may be shared by layouts and processes. */
  readonly cache: string;
  /** Images under way at once; by default 2, or 1 on a machine with one processor. */
  readonly jobs?: number;
  /** Fetches package lists anew, and builds again what is there. */
  readonly refresh?: boolean;
  /** Address with `{archive}` in it, in place of Debian's own. */
  readonly mirror?: string;
  /** What the images must consist of: another corpus' `corpus.lock.json`. */
  readonly lock?: string;
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

export interface BuildSummary {
  readonly images: readonly {
    readonly name: string;
    readonly image?: BuiltImage;
    readonly error?: ErrorData;
    /** Absent for an image that was at hand. */
    readonly seconds?: number;
  }[];
}

/**
 * Builds what the layout lacks of the recipes' images: one layer a suite, and one an image. Each is kept as soon as it
 * is whole, so that a build that was interrupted goes on where it was. An image that fails costs itself only.
 * @throws ProfGenError `environment/*`, `corpus/busy`, `corpus/bad-layout`
 */
export async function buildCorpus(
  recipes: readonly ImageRecipe[],
  options: BuildCorpusOptions,
): Promise<BuildSummary> {
  const { onEvent, signal, refresh = false, mirror = defaultMirror } = options;
  const layout = resolve(options.layout);
  const cache = resolve(options.cache);
  const expected = options.lock === undefined ? undefined : await readExpected(options.lock);
  const results = new Map<string, BuildSummary['images'][number]>();
  const missing: ImageRecipe[] = [];
  for (const recipe of recipes) {
    const image = refresh ? undefined : await builtImage(layout, recipe);
    if (image === undefined) {
      missing.push(recipe);
      continue;
    }
    const result = checked(recipe.name, { image }, expected);
    results.set(recipe.name, result);
    if (result.error !== undefined) onEvent({ type: 'warning', image: recipe.name, error: result.error });
    onEvent({ type: 'finished', image: recipe.name, outcome: 'skipped', message: 'at hand' });
  }
  if (missing.length > 0) {
    await checkMachine(missing);
    const held = await lockLayout(layout);
    try {
      const work = await openWorkDirectory(join(cache, 'work'));
      try {
        await buildMissing(missing, { layout, cache, work: work.path, mirror, signal });
      } finally {
        await work.close();
      }
    } finally {
      await held.release();
    }
  }
  return { images: recipes.map(({ name }) => results.get(name) ?? { name }) };

  async function buildMissing(all: readonly ImageRecipe[], places: BuildPlaces): Promise<void> {
    const bases = new Map<Suite, Promise<Base>>();
    const baseOf = (suite: Suite, name: string): Promise<Base> => {
      const known = bases.get(suite);
      if (known !== undefined) return known;
      const base = provideBase(suite, refresh, places, () =>
        onEvent({ type: 'phase', image: name, phase: 'base' }),
      );
      bases.set(suite, base);
      return base;
    };
    const queue = [...all];
    const worker = async () => {
      for (let recipe = queue.shift(); recipe !== undefined; recipe = queue.shift()) {
        signal?.throwIfAborted();
        try {
          results.set(recipe.name, await one(recipe, baseOf, places));
        } catch (thrown) {
          // The others end theirs and begin no more.
          queue.length = 0;
          throw thrown;
        }
      }
    };
    const jobs = options.jobs ?? Math.min(2, availableParallelism());
    // All have stopped before an error goes on, so that nothing runs behind the caller's back.
    const ended = await Promise.allSettled(Array.from({ length: Math.min(jobs, all.length) }, worker));
    for (const result of ended) if (result.status === 'rejected') throw result.reason;
  }

  async function one(
    recipe: ImageRecipe,
    baseOf: (suite: Suite, name: string) => Promise<Base>,
    places: BuildPlaces,
  ): Promise<BuildSummary['images'][number]> {
    const { name, suite } = recipe;
    const started = performance.now();
    try {
      const base = await baseOf(suite, name);
      const build = (again: boolean) =>
        buildImage(recipe, base, again, places, (phase) => onEvent({ type: 'phase', image: name, phase }));
      const image = await build(refresh && recipe.backports).catch((thrown: unknown) => {
        // Mirrors replace packages; lists of yesterday name those of yesterday.
        if (!(thrown instanceof ProfGenError) || thrown.code !== 'corpus/package-gone') throw thrown;
        onEvent({
          type: 'note',
          image: name,
          message: 'the mirror has newer packages: fetching its lists',
        });
        return build(true);
      });
      await addToLock(layout, { images: { [name]: image } });
      const seconds = (performance.now() - started) / 1000;
      const result = checked(name, { image, seconds }, expected);
      if (result.error !== undefined) onEvent({ type: 'warning', image: name, error: result.error });
      onEvent({
        type: 'finished',
        image: name,
        outcome: result.error === undefined ? 'done' : 'failed',
        message: `${(image.size / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`,
      });
      return result;
    } catch (thrown) {
      if (signal?.aborted) throw thrown;
      const error = errorData(thrown);
      // What ails the machine ails every image.
      if (error.code.startsWith('environment/')) throw thrown;
      onEvent({ type: 'warning', image: name, error });
      onEvent({ type: 'finished', image: name, outcome: 'failed', message: error.code });
      return { name, error };
    }
  }
}

/** What the layout has of a recipe, whole and up to date. */
export async function builtImage(layout: string, recipe: ImageRecipe): Promise<BuiltImage | undefined> {
  const lock = await readLock(lockPath(layout));
  const image = lock?.images[recipe.name];
  const base = lock?.suites[recipe.suite];
  if (image === undefined || base === undefined || image.key !== imageKey(recipe, base.layer))
    return undefined;
  const found = await findImage(layout, recipe.name);
  return found?.manifest === image.manifest ? image : undefined;
}

async function readExpected(file: string): Promise<CorpusLock> {
  const lock = await readLock(file);
  if (lock !== undefined) return lock;
  throw new ProfGenError('usage/no-such-file', `there is no file ${printable(file)}`, {
    hint: 'take the corpus.lock.json of the corpus that this one should equal',
  });
}

/** Compares an image with the one of the same name in a lock. */
function checked(
  name: string,
  result: { readonly image: BuiltImage; readonly seconds?: number },
  expected: CorpusLock | undefined,
): BuildSummary['images'][number] {
  const wanted = expected?.images[name];
  if (expected === undefined || wanted?.manifest === result.image.manifest) return { name, ...result };
  const differences = wanted === undefined ? ['it is not in the lock'] : differencesOf(wanted, result.image);
  const error = new ProfGenError(
    'corpus/lock-differs',
    `${name} is not the image of the lock: ${printable(differences.slice(0, 5).join(', '))}`,
    {
      hint: 'use a mirror that has those versions, such as --mirror "http://snapshot.debian.org/archive/{archive}/DATE" with --refresh',
      details: { differences: differences.length },
    },
  );
  return { name, ...result, error: errorData(error) };
}

function differencesOf(wanted: BuiltImage, built: BuiltImage): string[] {
  const names = [...new Set([...Object.keys(wanted.packages), ...Object.keys(built.packages)])].sort();
  const versions = names.flatMap((one) => {
    const [a, b] = [wanted.packages[one], built.packages[one]];
    return a === b ? [] : [`${one} ${b ?? 'missing'} instead of ${a ?? 'none'}`];
  });
  const base = wanted.base === built.base ? [] : ['another base'];
  const all = [...base, ...versions];
  return all.length > 0 ? all : [wanted.key === built.key ? 'equal packages, other bytes' : 'another recipe'];
}
