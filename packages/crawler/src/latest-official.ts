import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  compareStrings,
  type OfficialDataset,
  officialDatasetSchema,
  ProfGenError,
  printable,
  validated,
} from '@prof-gen/core';

const maxBytes = 64 * 1024 * 1024;

/**
 * The newest dataset of official images in a directory that is not of a day after `day`.
 * @returns undefined when there is none
 * @throws ProfGenError `usage/bad-dataset`
 */
export async function latestOfficial(directory: string, day: string): Promise<OfficialDataset | undefined> {
  const names = await readdir(directory).catch(() => []);
  const name = names
    .filter((one) => /^\d{4}-\d{2}-\d{2}\.json$/.test(one) && one.slice(0, 10) <= day)
    .sort(compareStrings)
    .at(-1);
  if (name === undefined) return undefined;
  const file = join(directory, name);
  const what = `dataset ${printable(file)}`;
  if ((await stat(file)).size > maxBytes) {
    throw new ProfGenError('usage/bad-dataset', `${what} is larger than 64 MiB`);
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    throw new ProfGenError('usage/bad-dataset', `${what} is not JSON`, {
      hint: 'move it away; marks that people made in it are then lost',
    });
  }
  return validated(officialDatasetSchema, value, what, 'usage/bad-dataset');
}
