import {
  type HubTag,
  hubRepositoriesSchema,
  hubTagsSchema,
  officialNameSchema,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import { answerError, type Transport } from '@prof-gen/image';

/** Docker Hub's API (docs.docker.com/reference/api/hub), or what answers like it. */
export interface Hub {
  readonly url: URL;
  readonly net: Transport;
  readonly warn: (error: ProfGenError) => void;
}

export interface HubRepository {
  readonly name: string;
  readonly pulls?: number;
  readonly categories: readonly string[];
}

const pageSize = 100;
/** Of one answer; a page of 100 repositories has some 100 KB, one of tags of many platforms 300 KB. */
const pageBytes = 8 * 1024 * 1024;
/** Ten thousand names: fifty times what there is. */
const maxPages = 100;
/** Newest tags that are looked at: five hundred. */
const maxTagPages = 5;
/** Tags that were pushed this long before the newest one, and earlier, are of times gone by. */
const tagAge = 30 * 24 * 60 * 60 * 1000;

async function page<Page>(
  hub: Hub,
  path: string,
  what: string,
  parse: (value: unknown) => Page,
): Promise<Page> {
  const url = new URL(path, hub.url);
  return hub.net.retrying(async () => {
    const answer = await hub.net.send({ url, headers: { accept: 'application/json' } });
    if (answer.status !== 200) throw await answerError(answer, url.host, what);
    const bytes = await answer.bytes(pageBytes);
    try {
      return parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch {
      // A proxy's page for people comes with status 200 as well, and goes away. What it says is not for us.
      throw new ProfGenError(
        'registry/bad-answer',
        `${url.host} sent something else than ${printable(what)}`,
        {
          hint: 'try again later; if it stays so, something between you and Docker Hub answers in its place',
          retryable: true,
        },
      );
    }
  });
}

function endless(hub: Hub, what: string): ProfGenError {
  return new ProfGenError('registry/endless-listing', `${hub.url.host} has no last page of ${what}`, {
    hint: 'no listing is so long: something between you and Docker Hub answers in its place',
  });
}

/**
 * All repositories of the namespace `library`, sorted by name. Names that are none are told of and left out.
 * @throws ProfGenError `registry/*`, `archive/too-large`
 */
export async function listRepositories(hub: Hub): Promise<readonly HubRepository[]> {
  const found = new Map<string, HubRepository>();
  for (let number = 1; ; number += 1) {
    const what = `page ${number} of the repositories`;
    const path = `v2/repositories/library/?page_size=${pageSize}&page=${number}`;
    const { next, results } = await page(hub, path, what, (value) => hubRepositoriesSchema.parse(value));
    const before = found.size;
    for (const { name, pull_count: pulls, categories } of results) {
      if (!officialNameSchema.safeParse(name).success) {
        hub.warn(
          new ProfGenError(
            'registry/bad-name',
            `${hub.url.host} lists "${printable(name, 80)}", which is no name`,
          ),
        );
        continue;
      }
      found.set(name, {
        name,
        ...(pulls === undefined || pulls === null ? {} : { pulls }),
        categories: (categories ?? []).slice(0, 20).map((category) => printable(category.name, 100)),
      });
    }
    if (next === undefined || next === null) break;
    // Pages shift while they are read, but not so far that one of a hundred has nothing new.
    if (found.size === before || number === maxPages) throw endless(hub, 'repositories');
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Names of the tags for linux/amd64 that were pushed about as late as the newest.
 * @throws ProfGenError `registry/*`, `archive/too-large`
 */
export async function newestTags(hub: Hub, name: string): Promise<readonly string[]> {
  const tags: { name: string; pushed: number }[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for (let number = 1; number <= maxTagPages; number += 1) {
    const what = `page ${number} of the tags of ${name}`;
    const path = `v2/repositories/library/${name}/tags/?page_size=${pageSize}&ordering=last_updated&page=${number}`;
    const { next, results } = await page(hub, path, what, (value) => hubTagsSchema.parse(value));
    let oldest = Number.POSITIVE_INFINITY;
    for (const tag of results) {
      const pushed = Date.parse(tag.last_updated ?? '');
      // Without a time it may be as new as any.
      tags.push({ name: tag.name, pushed: Number.isNaN(pushed) ? Number.POSITIVE_INFINITY : pushed });
      if (!isForPlatform(tag)) tags.pop();
      if (Number.isNaN(pushed)) continue;
      newest = Math.max(newest, pushed);
      oldest = Math.min(oldest, pushed);
    }
    if (next === undefined || next === null || results.length === 0 || oldest < newest - tagAge) break;
  }
  return [...new Set(tags.filter(({ pushed }) => pushed >= newest - tagAge).map((tag) => tag.name))];
}

/** What says nothing of platforms may be for any; the manifest decides. */
function isForPlatform({ images }: HubTag): boolean {
  if (images === undefined || images === null || images.length === 0) return true;
  return images.some(({ os, architecture }) => os === 'linux' && architecture === 'amd64');
}
