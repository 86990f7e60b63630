import { type OfficialDataset, type OfficialImage, printable } from '@prof-gen/core';
import type { CrawlResult } from '@prof-gen/runner';

/** What a crawl has found, and how it differs from the dataset before. */
export function crawlText(result: CrawlResult, before: OfficialDataset | undefined, file: string): string {
  const { dataset, left, layersLeft, unavailable } = result;
  const lines: string[] = [];
  if (dataset !== undefined) {
    const count = (is: (image: OfficialImage) => boolean): number => dataset.images.filter(is).length;
    const pinned = count(({ digest }) => digest !== undefined);
    const retired = count(({ state }) => state === 'retired');
    lines.push(`${printable(file)}: ${dataset.images.length} images, ${pinned} pinned, ${retired} retired`);
    if (before !== undefined) lines.push(`against ${before.date}: ${changes(before, dataset)}`);
  }
  lines.push(
    ...listed('not to be had', unavailable),
    ...listed('left to ask for', left),
    ...listed('layers left', layersLeft),
  );
  if (dataset === undefined) {
    lines.push(
      'no dataset written: run the same command again to go on, or with --partial to have it as it is',
    );
  }
  return `${lines.join('\n')}\n`;
}

function changes(before: OfficialDataset, after: OfficialDataset): string {
  const old = new Map(before.images.map((image) => [image.name, image]));
  const names = new Set(after.images.map(({ name }) => name));
  const fresh = after.images.filter(({ name }) => !old.has(name)).length;
  const gone = before.images.filter(({ name }) => !names.has(name)).length;
  const moved = after.images.filter(
    ({ name, manifest }) => old.get(name) !== undefined && old.get(name)?.manifest !== manifest,
  ).length;
  return `${fresh} new, ${gone} gone, ${moved} with another digest`;
}

function listed(title: string, failures: CrawlResult['left']): string[] {
  return failures.map(({ name, error }) => `${title}: ${printable(name, 80)} [${error.code}]`);
}
