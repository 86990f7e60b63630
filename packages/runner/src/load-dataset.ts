import { createHash } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import {
  type Dataset,
  type DatasetImage,
  datasetOfOfficial,
  datasetSchema,
  didYouMean,
  officialDatasetSchema,
  ProfGenError,
  printable,
  validated,
  type Workload,
} from '@prof-gen/core';
import { loadWorkload } from './load-workload.js';
import { readYaml } from './read-yaml.js';

export interface LoadedDataset {
  readonly dataset: Dataset;
  readonly images: readonly (DatasetImage & { readonly test?: Workload })[];
  /** SHA-256 over the dataset and the workloads it names: what a resumed run must agree with. */
  readonly hash: string;
}

/** What `prof-gen crawl` wrote, as a dataset; anything else as it is. */
function runnable(value: unknown, what: string): unknown {
  const official =
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === officialDatasetSchema.shape.kind.value;
  return official
    ? datasetOfOfficial(validated(officialDatasetSchema, value, what, 'usage/bad-dataset'))
    : value;
}

/** What a file says. */
async function readDataset(file: string): Promise<Dataset> {
  const what = `dataset ${printable(file)}`;
  return validated(datasetSchema, runnable(await readYaml(file), what), what, 'usage/bad-dataset');
}

/** Images of the files that a dataset includes, their workloads relative to the dataset's own directory. */
async function includedImages(file: string, includes: readonly string[]): Promise<DatasetImage[]> {
  const directory = dirname(file);
  const images: DatasetImage[] = [];
  for (const include of includes) {
    const path = join(directory, include);
    const included = await readDataset(path);
    if (included.includes !== undefined) {
      throw new ProfGenError('usage/bad-dataset', `dataset ${printable(path)} includes others itself`, {
        hint: `name those in ${printable(file)}`,
      });
    }
    for (const { workload, ...image } of included.images) {
      const moved = workload && relative(directory, resolve(dirname(path), workload));
      images.push(moved === undefined ? image : { ...image, workload: moved });
    }
  }
  return images;
}

/**
 * A dataset with the workloads that it names; one of Docker's official images (docs/formats.md) as well. With `only`, a
 * part of it: its hash is that of the part, so that a part and the whole are not resumed as one another.
 * @throws ProfGenError `usage/bad-dataset`, `usage/bad-workload`, `usage/no-such-image` with names that are meant perhaps,
 *   and those of `readYaml`
 */
export async function loadDataset(file: string, only: readonly string[] = []): Promise<LoadedDataset> {
  const what = `dataset ${printable(file)}`;
  const { includes = [], ...own } = await readDataset(file);
  const whole = { ...own, images: [...(await includedImages(file, includes)), ...own.images] };
  const seen = new Set<string>();
  for (const { name } of whole.images) {
    if (seen.has(name)) throw new ProfGenError('usage/bad-dataset', `${what} has two images called ${name}`);
    seen.add(name);
  }
  for (const name of only) {
    if (seen.has(name)) continue;
    throw new ProfGenError('usage/no-such-image', `${what} has no image called ${printable(name)}`, {
      hint: didYouMean(name, [...seen], 'see its names in the file'),
    });
  }
  const wanted = new Set(only.length === 0 ? seen : only);
  const dataset = { ...whole, images: whole.images.filter(({ name }) => wanted.has(name)) };
  const images = await Promise.all(
    dataset.images.map(async (image) =>
      image.workload === undefined
        ? image
        : { ...image, test: await loadWorkload(resolve(dirname(file), image.workload)) },
    ),
  );
  const hash = createHash('sha256')
    .update(JSON.stringify([dataset, images.map((image) => ('test' in image ? image.test : null))]))
    .digest('hex');
  return { dataset, images, hash };
}
