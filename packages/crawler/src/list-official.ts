import { createHash } from 'node:crypto';
import { compareStrings, type ListedRepository, type OfficialDataset, ProfGenError } from '@prof-gen/core';
import { type Hub, type HubRepository, listRepositories } from './hub/hub-client.js';
import type { LibraryEntry } from './library/parse-library-file.js';
import type { Library } from './library/read-library.js';
import { rankTags } from './tag/rank-tags.js';

/** Tags that are tried, one after the other: a tag that was named lately may not be built yet. */
export const tagsTried = 3;

/** Who tells which repositories there are; one of them at least. */
export interface ListingSources {
  readonly hub: Hub | undefined;
  readonly library: Library | undefined;
  /** Asked when there are neither. */
  readonly base: OfficialDataset | undefined;
}

/** What a listing depends on, and so what a crawl that goes on has to agree in. */
export function listingIdentity({ hub, library, base }: ListingSources): string {
  const known = base?.images.map(({ name, tag }) => [name, tag ?? null]);
  const told = [hub?.url.href ?? null, library?.hash ?? null, hub || library ? null : known];
  return createHash('sha256').update(JSON.stringify(told)).digest('hex');
}

/**
 * The repositories, sorted by name.
 * @throws ProfGenError `usage/nothing-to-crawl`, `registry/*`
 */
export async function listOfficial(sources: ListingSources): Promise<ListedRepository[]> {
  const { hub, library, base } = sources;
  if (hub === undefined && library === undefined) return fromBase(base);
  const listed = new Map<string, ListedRepository>();
  for (const repository of hub === undefined ? [] : await listRepositories(hub)) {
    listed.set(repository.name, fromHub(repository, library));
  }
  for (const [name, entries] of library?.entries ?? []) {
    const known = listed.get(name) ?? { name, state: 'retired', categories: [] };
    if (entries.length === 0) listed.set(name, hub === undefined ? { ...known, tags: [] } : known);
    else listed.set(name, { ...known, state: 'active', tags: tagsOf(entries) });
  }
  return [...listed.values()].sort((a, b) => compareStrings(a.name, b.name));
}

function fromHub({ name, pulls, categories }: HubRepository, library: Library | undefined): ListedRepository {
  return {
    name,
    state: library === undefined ? 'active' : 'retired',
    ...(pulls === undefined ? {} : { pulls }),
    categories: [...categories],
  };
}

/** Tags for linux/amd64, best first, each with what it is built from. */
function tagsOf(entries: readonly LibraryEntry[]): NonNullable<ListedRepository['tags']> {
  const offered = new Map<string, LibraryEntry>();
  for (const entry of entries) {
    if (!entry.architectures.includes('amd64')) continue;
    for (const tag of entry.tags) if (!offered.has(tag)) offered.set(tag, entry);
  }
  return rankTags(offered.keys())
    .slice(0, tagsTried)
    .map((tag) => ({ tag, source: (offered.get(tag) as LibraryEntry).source('amd64') }));
}

function fromBase(base: OfficialDataset | undefined): ListedRepository[] {
  if (base === undefined) {
    throw new ProfGenError('usage/nothing-to-crawl', 'nobody tells which repositories there are', {
      hint: 'leave out --no-hub, or name a clone of official-images with --library, or keep an earlier dataset beside the new one',
    });
  }
  return base.images.map(({ name, state, tag, source }) => ({
    name,
    state,
    categories: [],
    tags: tag === undefined ? [] : [{ tag, ...(source === undefined ? {} : { source }) }],
  }));
}
