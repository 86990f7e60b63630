import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CrawlListing,
  crawlListingSchema,
  type OfficialImage,
  officialImageSchema,
} from '@prof-gen/core';
import { writeAtomically } from '@prof-gen/image';

/**
 * What a crawl has found so far, in `crawls/ID` of the cache: `listing.json`, and a file for each repository that is
 * pinned. Each is there whole or not at all, so that a killed crawl goes on where it stopped.
 */
export interface CrawlState {
  /** Undefined when nothing is there, or nothing that this version understands. */
  listing(): Promise<CrawlListing | undefined>;
  /** Forgets what is there and begins anew. */
  begin(listing: CrawlListing): Promise<void>;
  finish(listing: CrawlListing): Promise<void>;
  /** @param name checked: it becomes a file's name */
  image(name: string): Promise<OfficialImage | undefined>;
  keep(image: OfficialImage): Promise<void>;
}

export function crawlState(cache: string, id: string): CrawlState {
  const directory = join(cache, 'crawls', id);
  const listingFile = join(directory, 'listing.json');
  const imageFile = (name: string): string => join(directory, 'images', `${name}.json`);
  const write = async (file: string, value: unknown): Promise<void> => {
    await writeAtomically(file, async (handle) => {
      await handle.writeFile(JSON.stringify(value));
    });
  };
  return {
    listing: () => read(listingFile, (value) => crawlListingSchema.parse(value)),
    async begin(listing) {
      await rm(directory, { recursive: true, force: true });
      await write(listingFile, listing);
    },
    finish: (listing) => write(listingFile, { ...listing, finished: true }),
    async image(name) {
      const image = await read(imageFile(name), (value) => officialImageSchema.parse(value));
      return image?.name === name ? image : undefined;
    },
    keep: (image) => write(imageFile(image.name), image),
  };
}

async function read<T>(file: string, parse: (value: unknown) => T): Promise<T | undefined> {
  try {
    return parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Not there, or of another version: found out anew.
    return undefined;
  }
}
