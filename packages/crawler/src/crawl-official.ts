import { createHash } from 'node:crypto';
import {
  type CrawlListing,
  type ErrorCode,
  type ErrorData,
  type EventSink,
  errorData,
  errorFamily,
  errorFromData,
  formatRegistryReference,
  type ListedRepository,
  type OfficialDataset,
  type OfficialImage,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import { concurrently, isAllowed, openImage, type RegistryOptions, transport } from '@prof-gen/image';
import { assembleDataset } from './assemble-dataset.js';
import type { Hub } from './hub/hub-client.js';
import { readLibrary } from './library/read-library.js';
import { listingIdentity, listOfficial } from './list-official.js';
import { offlinePace, ratePace } from './pace/rate-pace.js';
import { pinRepository, referenceTo } from './pin-repository.js';
import { type CrawlState, crawlState } from './state/crawl-state.js';

export interface CrawlOptions {
  /** Directory of the cache: manifests, configs, layers, and what a crawl that was killed has found. */
  readonly cache: string;
  /** Today, as YYYY-MM-DD; a crawl that goes on keeps the day on which it began. */
  readonly date: string;
  /** Docker Hub's API; undefined: it is not asked. */
  readonly hub: URL | undefined;
  /** A clone of docker-library/official-images. */
  readonly library?: string;
  /** Registry to ask in place of docker.io, such as `mirror.example:5000` or `mirror.example/hub`. */
  readonly mirror?: string;
  /** These repositories alone; the others stay as the dataset before has them. Empty: all. */
  readonly only: readonly string[];
  /** The dataset before. */
  readonly base?: OfficialDataset;
  /** Nothing is asked: what an earlier crawl has kept. */
  readonly offline: boolean;
  /** Layers of each image too. */
  readonly withLayers: boolean;
  /** A dataset also when some repositories could not be asked for now. */
  readonly partial: boolean;
  /** Begin anew, whatever an earlier crawl has left. */
  readonly restart: boolean;
  /** Repositories under way at once. */
  readonly jobs: number;
  readonly registry?: RegistryOptions;
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

export interface CrawlFailure {
  readonly name: string;
  readonly error: ErrorData;
}

export interface CrawlResult {
  readonly date: string;
  /** Absent when something is left to ask for and `partial` is not set. */
  readonly dataset?: OfficialDataset;
  /** What the registry does not have, or not for linux/amd64: a fact, said in the dataset. */
  readonly unavailable: readonly CrawlFailure[];
  /** What could not be asked for now; the next crawl goes on with it. */
  readonly left: readonly CrawlFailure[];
  /** Images of the dataset whose layers are not in the cache although they were to be. */
  readonly layersLeft: readonly CrawlFailure[];
}

/** Name of the whole in events. */
const whole = 'docker-official';

/** A crawl that was left for longer than this is begun anew: its digests are of the past. Days. */
const staleAfter = 7;

type Ended =
  | {
      readonly name: string;
      readonly kind: 'pinned';
      readonly image: OfficialImage;
      readonly layers?: ErrorData;
    }
  | { readonly name: string; readonly kind: 'nothing' }
  | { readonly name: string; readonly kind: 'failed'; readonly error: ErrorData };

/**
 * Lists Docker's official images and pins each by digest. What was found is kept at once, so that a crawl that was
 * killed goes on where it stopped, and gives the same dataset as one that was not.
 * @throws ProfGenError `usage/*`, `registry/*`, `environment/*`
 */
export async function crawlOfficial(options: CrawlOptions): Promise<CrawlResult> {
  const { onEvent, signal, mirror, base, only, offline } = options;
  checkAddresses(options);
  const note = (host: string, message: string): void => onEvent({ type: 'note', image: host, message });
  const warned = new Set<string>();
  const warn = (error: ProfGenError): void => {
    // Each repository finds the same login broken.
    if (!warned.has(error.message)) onEvent({ type: 'warning', image: whole, error: errorData(error) });
    warned.add(error.message);
  };
  const registry: RegistryOptions = {
    ...options.registry,
    pace: offline ? offlinePace() : ratePace({ note }),
  };
  const hub: Hub | undefined =
    options.hub === undefined ? undefined : { url: options.hub, net: transport(registry, signal), warn };
  const library = options.library === undefined ? undefined : await readLibrary(options.library);
  const sources = { hub, library, base };
  const id = createHash('sha256')
    .update(JSON.stringify([1, listingIdentity(sources), mirror ?? null, [...only].sort()]))
    .digest('hex');
  const state = crawlState(options.cache, `official-${id.slice(0, 32)}`);

  onEvent({ type: 'phase', image: whole, phase: 'list' });
  const listing = await begun(state, options, async () => {
    const repositories = await listOfficial(sources);
    return { repositories, sources: saidSources(options, library?.hash) };
  });
  const wanted = only.length === 0 ? listing.repositories : chosen(listing.repositories, only);
  note(whole, `${wanted.length} repositories`);

  onEvent({ type: 'phase', image: whole, phase: 'pin' });
  let done = 0;
  const ended = await concurrently(wanted, options.jobs, async (listed) => {
    signal?.throwIfAborted();
    const end = await crawlOne(listed);
    done += 1;
    onEvent({ type: 'progress', image: whole, phase: 'pin', done, total: wanted.length, unit: 'images' });
    return end;
  });
  signal?.throwIfAborted();

  async function crawlOne(listed: ListedRepository): Promise<Ended> {
    const { name } = listed;
    try {
      const known = await state.image(name);
      const code = offline ? listing.unavailable?.[name] : undefined;
      if (code !== undefined) throw new ProfGenError(code, `${name} could not be had when it was asked for`);
      if (known === undefined) onEvent({ type: 'phase', image: name, phase: 'pin' });
      const image =
        known ??
        (await pinRepository(listed, hub, mirror, {
          cache: options.cache,
          registry,
          warn,
          ...(signal === undefined ? {} : { signal }),
        }));
      if (image === undefined) {
        onEvent({ type: 'finished', image: name, outcome: 'skipped', message: 'no tag any more' });
        return { name, kind: 'nothing' };
      }
      if (known === undefined) await state.keep(image);
      const layers = options.withLayers ? await fillLayers(image) : undefined;
      const what = `${image.tag}, ${image.digest?.slice(0, 19)}…`;
      if (known === undefined) onEvent({ type: 'finished', image: name, outcome: 'done', message: what });
      else onEvent({ type: 'finished', image: name, outcome: 'skipped', message: `${what} found before` });
      return { name, kind: 'pinned', image, ...(layers === undefined ? {} : { layers }) };
    } catch (thrown) {
      return { name, kind: 'failed', error: failed(name, thrown) };
    }
  }

  /** One repository's failure costs itself only, unless it is everybody's: an interruption, a full disk, a defect. */
  function failed(name: string, thrown: unknown): ErrorData {
    signal?.throwIfAborted();
    const error = errorData(thrown);
    if (['environment', 'internal', 'usage'].includes(errorFamily(error.code))) throw thrown;
    onEvent({ type: 'warning', image: name, error });
    onEvent({ type: 'finished', image: name, outcome: 'failed', message: error.code });
    return error;
  }

  /** Reads every layer of an image, so that a run finds them in the cache. */
  async function fillLayers({ name, manifest }: OfficialImage): Promise<ErrorData | undefined> {
    try {
      const reference = formatRegistryReference(referenceTo(name, mirror, `@${manifest}`));
      const opened = await openImage(`registry:${reference}`, {
        cache: options.cache,
        name,
        registry,
        onEvent,
        ...(signal === undefined ? {} : { signal }),
      });
      await opened.close();
      return undefined;
    } catch (thrown) {
      return failed(name, thrown);
    }
  }

  const pinned = new Map<string, OfficialImage>();
  const failures: CrawlFailure[] = [];
  const layersLeft: CrawlFailure[] = [];
  for (const end of ended) {
    if (end.kind === 'failed') failures.push(end);
    if (end.kind !== 'pinned') continue;
    pinned.set(end.name, end.image);
    if (end.layers !== undefined) layersLeft.push({ name: end.name, error: end.layers });
  }
  if (pinned.size === 0 && failures.length > 0) throw nothingPinned(failures);
  const left = failures.filter(({ error }) => error.retryable === true);
  const unavailable = failures.filter(({ error }) => error.retryable !== true);
  const codes = new Map(failures.map(({ name, error }): [string, ErrorCode] => [name, error.code]));
  if (left.length === 0 && !listing.finished) {
    await state.finish({ ...listing, unavailable: Object.fromEntries(codes) });
  }
  const common = { date: listing.date, unavailable, left, layersLeft };
  if (left.length > 0 && !options.partial) return common;
  return { ...common, dataset: assembleDataset({ listing, only, pinned, unavailable: codes, base }) };
}

/** Before anything is asked. @throws ProfGenError `usage/reference`, `usage/options` */
function checkAddresses({ hub, mirror }: CrawlOptions): void {
  referenceTo('x', mirror, '');
  if (hub !== undefined && !isAllowed(hub, hub)) {
    throw new ProfGenError('usage/options', `${printable(hub.href)} is no address of Docker Hub's API`, {
      hint: 'write https://HOST/; http:// is for this machine alone, and no password belongs there',
    });
  }
}

/** The listing of the crawl to go on with, or of a new one. */
async function begun(
  state: CrawlState,
  { date, offline, restart, onEvent }: CrawlOptions,
  list: () => Promise<Pick<CrawlListing, 'repositories' | 'sources'>>,
): Promise<CrawlListing> {
  const known = await state.listing();
  if (offline) {
    if (known !== undefined) return known;
    throw new ProfGenError('usage/nothing-kept', 'no crawl with these options is in the cache', {
      hint: 'run the command once without --offline, with the same --library, --mirror, --only and cache',
    });
  }
  const age = known === undefined ? 0 : (Date.parse(date) - Date.parse(known.date)) / 86_400_000;
  if (known !== undefined && !known.finished && !restart && age >= 0 && age <= staleAfter) {
    onEvent({
      type: 'note',
      image: whole,
      message: `goes on with the crawl of ${known.date}; --restart begins anew`,
    });
    return known;
  }
  const listing: CrawlListing = { schemaVersion: 1, date, finished: false, ...(await list()) };
  await state.begin(listing);
  return listing;
}

function saidSources(options: CrawlOptions, libraryHash: string | undefined): Record<string, string> {
  const { hub, mirror, base } = options;
  return {
    ...(hub === undefined ? {} : { hub: hub.origin }),
    ...(libraryHash === undefined
      ? {}
      : { library: `library files of docker-library/official-images, sha256 ${libraryHash}` }),
    ...(hub === undefined && libraryHash === undefined && base !== undefined
      ? { names: `the dataset of ${base.date}` }
      : {}),
    registry: mirror === undefined ? 'docker.io' : 'docker.io, through a mirror',
  };
}

/** @throws ProfGenError `usage/no-such-repository` */
function chosen(repositories: readonly ListedRepository[], only: readonly string[]): ListedRepository[] {
  const names = new Set(repositories.map(({ name }) => name));
  const unknown = only.filter((name) => !names.has(name));
  if (unknown.length > 0) {
    throw new ProfGenError(
      'usage/no-such-repository',
      `not among Docker's official images: ${unknown.map((name) => printable(name, 80)).join(', ')}`,
      { hint: 'write the name alone, such as: --only nginx' },
    );
  }
  return repositories.filter(({ name }) => only.includes(name));
}

/** Not one: that is no fact about images but about the way to them. */
function nothingPinned(failures: readonly CrawlFailure[]): ProfGenError {
  return new ProfGenError(
    'registry/nothing-pinned',
    `none of ${failures.length} repositories could be pinned`,
    {
      hint: 'check your connection, your login and the mirror; then run the command again',
      retryable: true,
      causes: failures.slice(0, 3).map(({ error }) => errorFromData(error)),
    },
  );
}
