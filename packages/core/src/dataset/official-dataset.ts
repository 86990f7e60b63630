import { z } from 'zod';
import { compareStrings } from '../order/compare-strings.js';
import type { ErrorCode } from '../error/prof-gen-error.js';
import { digestSchema } from '../image/oci-manifest.js';
import type { Dataset } from './dataset.js';

/** A repository of the `library` namespace: one component of a name (distribution/reference), fit to be a file's name. */
export const officialNameSchema = z
  .string()
  .max(128)
  .regex(/^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/, 'a lower-case name without slashes');

// What an image says of itself is written by strangers: everything has an end.
const text = z.string().max(32_768);
const texts = z.array(text).max(1024);
const tag = z.string().regex(/^\w[\w.-]{0,127}$/);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a day as YYYY-MM-DD');

/** Of a ProfGenError. */
export const officialErrorSchema = z.custom<ErrorCode>(
  (value) => typeof value === 'string' && /^[a-z]+\/[a-z-]+$/.test(value),
);

/** What decides which programs run; what a config does not say stands here with the value that it has then. */
export const officialConfigSchema = z
  .strictObject({
    entrypoint: texts,
    cmd: texts,
    /** `NAME=value` lines. */
    env: texts,
    /** Such as `6379/tcp`, sorted. */
    exposedPorts: texts,
    /** Sorted. */
    volumes: texts,
    workingDir: text,
    /** Empty: root. */
    user: text,
    stopSignal: text,
    /** Command of the health check; empty when there is none. */
    healthcheck: texts,
  })
  .refine((config) => JSON.stringify(config).length <= 65_536, { message: 'larger than 64 KiB' });
export type OfficialConfig = z.infer<typeof officialConfigSchema>;

/** Where an image is built from: the library file's fields for its tag and architecture. */
export const officialSourceSchema = z.strictObject({
  repository: text,
  commit: text,
  directory: text,
  file: text,
  builder: text,
});
export type OfficialSource = z.infer<typeof officialSourceSchema>;

export const officialImageSchema = z
  .strictObject({
    name: officialNameSchema,
    /** Retired: no tag of it is built any more. Told by the library files; without them all are active. */
    state: z.enum(['active', 'retired']),
    /** Its own documentation advises against it. */
    deprecated: z.literal(true).optional(),
    categories: z.array(z.string().max(100)).max(20).optional(),
    /** Pulls that Docker Hub counted, by year or day; the lower end where it shows no more than a class such as 5M+. */
    pulls: z.record(z.string().regex(/^\d{4}(?:-\d{2}-\d{2})?$/), count).optional(),
    /** The tag taken: `latest`, else the newest stable one. */
    tag: tag.optional(),
    /** Platforms of the tag, sorted. */
    platforms: z.array(z.string().max(100)).max(200).optional(),
    /** What the tag stands for, mostly an index of platforms; absent until a crawl has reached the registry. */
    digest: digestSchema.optional(),
    /** The manifest for the dataset's platform. */
    manifest: digestSchema.optional(),
    /** Bytes of its layers as stored. */
    size: count.optional(),
    /** Code of the error for which there is no digest although a crawl asked for it. */
    unavailable: officialErrorSchema.optional(),
    /** `image`: the config of `manifest` says so. `dockerfile`: read from its source, or one near it; to start from. */
    configFrom: z.enum(['image', 'dockerfile']).optional(),
    config: officialConfigSchema.optional(),
    source: officialSourceSchema.optional(),
    /** Images that it is built on, lowest first; known where Dockerfiles were read. */
    bases: texts.optional(),
    /** Its name in `datasets/confine-published`. */
    confine: z.string().max(128).optional(),
    /** `NAME=value` lines without which it does not start; added to the config's when it is run. */
    env: texts.optional(),
    /** Workload file for the proof, relative to the dataset's file. */
    workload: z.string().max(1024).optional(),
  })
  .refine(({ digest, manifest }) => (digest === undefined) === (manifest === undefined), {
    message: 'digest and manifest stand together',
  })
  .refine(({ config, configFrom }) => (config === undefined) === (configFrom === undefined), {
    message: 'config and configFrom stand together',
  })
  .refine(({ configFrom, digest }) => configFrom !== 'image' || digest !== undefined, {
    message: 'a config of the image needs its digest',
  })
  .refine(({ unavailable, digest }) => unavailable === undefined || digest === undefined, {
    message: 'what has a digest is not unavailable',
  });
export type OfficialImage = z.infer<typeof officialImageSchema>;

/** Docker's official images on one day; `datasets/docker-official/DAY.json`. */
export const officialDatasetSchema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('docker-official'),
  /** Of the facts. */
  date: day,
  /** What `manifest` and `config` are of. */
  platform: z.literal('linux/amd64'),
  /** Where the facts are from. */
  sources: z.record(z.string().max(40), text),
  /** Confine's names for official images of its time that are none of `images`. */
  confineElsewhere: z.array(z.string().max(128)).max(1000),
  /** Sorted by name. */
  images: z
    .array(officialImageSchema)
    .max(5000)
    .refine(
      (images) =>
        images.every(({ name }, i) => i === 0 || compareStrings(images[i - 1]?.name ?? '', name) < 0),
      { message: 'images are sorted by name, each once' },
    ),
});
export type OfficialDataset = z.infer<typeof officialDatasetSchema>;

/** Equal datasets give equal bytes; a field and an element of a list have a line of their own. */
export function renderOfficialDataset(dataset: OfficialDataset): string {
  // The schema gives the fields their order.
  return `${JSON.stringify(officialDatasetSchema.parse(dataset), undefined, 2)}\n`;
}

/** Where `image` is: the manifest where it is known, so that each run has the same bytes; else the tag. */
function referenceOf({ name, tag: chosen, manifest }: OfficialImage): string {
  const repository = `registry:docker.io/library/${name}`;
  return manifest === undefined ? `${repository}:${chosen}` : `${repository}@${manifest}`;
}

/** The images that can be run, as a dataset for `prof-gen run`: all that have a tag, also where a crawl did not get it. */
export function datasetOfOfficial(official: OfficialDataset): Dataset {
  const runnable = official.images.filter(({ tag: chosen }) => chosen !== undefined);
  const pinned = runnable.filter(({ manifest }) => manifest !== undefined).length;
  return {
    schemaVersion: 1,
    name: `docker-official-${official.date}`,
    description: `Docker's official images of ${official.date}: ${runnable.length}, ${pinned} of them pinned by digest`,
    images: runnable.map((image) => {
      const { name, tag: chosen, categories, env, workload } = image;
      return {
        name,
        reference: referenceOf(image),
        official: `${name}:${chosen}`,
        ...(categories?.[0] === undefined ? {} : { category: categories[0] }),
        ...(env === undefined ? {} : { env }),
        ...(workload === undefined ? {} : { workload }),
      };
    }),
  };
}
