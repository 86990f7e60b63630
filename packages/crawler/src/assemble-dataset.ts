import {
  compareStrings,
  type CrawlListing,
  type ErrorCode,
  type ListedRepository,
  type OfficialDataset,
  type OfficialImage,
} from '@prof-gen/core';

export interface AssembleInput {
  readonly listing: CrawlListing;
  /** Names that were crawled; others stay as `base` has them. Empty: all. */
  readonly only: readonly string[];
  readonly pinned: ReadonlyMap<string, OfficialImage>;
  /** Code of the error of what could not be pinned. */
  readonly unavailable: ReadonlyMap<string, ErrorCode>;
  /** The dataset before: what a crawl cannot know is taken over from it. */
  readonly base: OfficialDataset | undefined;
}

/** The dataset that a crawl has found. */
export function assembleDataset({
  listing,
  only,
  pinned,
  unavailable,
  base,
}: AssembleInput): OfficialDataset {
  const before = new Map(base?.images.map((image) => [image.name, image]));
  const elsewhere = new Set(base?.confineElsewhere);
  const crawled = listing.repositories
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .map((listed): OfficialImage => {
      const { name } = listed;
      const old = before.get(name);
      const pin = pinned.get(name);
      const code = unavailable.get(name);
      const found = pin ?? (code === undefined ? {} : { unavailable: code, ...tagOf(listed, old) });
      return { ...factsOf(listed, listing.date, old), ...found, ...marksOf(name, old, elsewhere) };
    });
  const names = new Set(crawled.map(({ name }) => name));
  const kept = only.length === 0 ? [] : (base?.images ?? []).filter(({ name }) => !names.has(name));
  return {
    schemaVersion: 1,
    kind: 'docker-official',
    date: listing.date,
    platform: 'linux/amd64',
    sources: listing.sources,
    confineElsewhere: [...elsewhere].filter((name) => !names.has(name)).sort(compareStrings),
    images: [...kept, ...crawled].sort((a, b) => compareStrings(a.name, b.name)),
  };
}

/** The tag that could not be had is said as well: it is what a run will try. */
function tagOf({ tags }: ListedRepository, old: OfficialImage | undefined): { tag?: string } {
  const tag = tags?.[0]?.tag ?? old?.tag;
  return tag === undefined ? {} : { tag };
}

function factsOf(listed: ListedRepository, date: string, old: OfficialImage | undefined): OfficialImage {
  const categories = listed.categories.length > 0 ? listed.categories : old?.categories;
  // Counts of whole years are history; of days the last one is enough.
  const years = Object.entries(old?.pulls ?? {}).filter(([when]) => when.length === 4);
  const pulls = Object.fromEntries(listed.pulls === undefined ? years : [...years, [date, listed.pulls]]);
  return {
    name: listed.name,
    state: listed.state,
    ...(old?.deprecated === undefined ? {} : { deprecated: true }),
    ...(categories === undefined ? {} : { categories }),
    ...(Object.keys(pulls).length === 0 ? {} : { pulls }),
  };
}

/** What people have written beside an image. */
function marksOf(
  name: string,
  old: OfficialImage | undefined,
  elsewhere: ReadonlySet<string>,
): Partial<OfficialImage> {
  const confine = old?.confine ?? (elsewhere.has(name) ? name : undefined);
  return {
    ...(confine === undefined ? {} : { confine }),
    ...(old?.env === undefined ? {} : { env: old.env }),
    ...(old?.workload === undefined ? {} : { workload: old.workload }),
  };
}
