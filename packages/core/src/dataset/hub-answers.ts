import { z } from 'zod';
import { officialErrorSchema, officialSourceSchema } from './official-dataset.js';

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A page of Docker Hub's `/v2/repositories/library/`: what is used of it. Names are checked one by one. */
export const hubRepositoriesSchema = z.object({
  next: z.string().nullish(),
  results: z.array(
    z.object({
      name: z.string(),
      pull_count: count.nullish(),
      categories: z.array(z.object({ name: z.string() })).nullish(),
    }),
  ),
});

/** A page of Docker Hub's `/v2/repositories/library/NAME/tags/`. */
export const hubTagsSchema = z.object({
  next: z.string().nullish(),
  results: z.array(
    z.object({
      name: z.string(),
      last_updated: z.string().nullish(),
      images: z.array(z.object({ os: z.string().nullish(), architecture: z.string().nullish() })).nullish(),
    }),
  ),
});
export type HubTag = z.infer<typeof hubTagsSchema>['results'][number];

/** A repository as the listing of a crawl has it, whoever told of it. */
export const listedRepositorySchema = z.strictObject({
  name: z.string(),
  state: z.enum(['active', 'retired']),
  pulls: count.optional(),
  categories: z.array(z.string()),
  /** Tags for the platform, best first, with their source; absent where Docker Hub is to be asked. */
  tags: z.array(z.strictObject({ tag: z.string(), source: officialSourceSchema.optional() })).optional(),
});
export type ListedRepository = z.infer<typeof listedRepositorySchema>;

/** What a crawl keeps so that it can go on: its day, its listing, and whether it has ended. */
export const crawlListingSchema = z.strictObject({
  schemaVersion: z.literal(1),
  date: z.string(),
  sources: z.record(z.string(), z.string()),
  finished: z.boolean(),
  /** When it has ended: codes of the errors for which repositories have no digest, by name. */
  unavailable: z.record(z.string(), officialErrorSchema).optional(),
  repositories: z.array(listedRepositorySchema),
});
export type CrawlListing = z.infer<typeof crawlListingSchema>;
