import {
  compareStrings,
  formatPlatform,
  type ListedRepository,
  type OfficialImage,
  officialImageSchema,
  ProfGenError,
  parseRegistryReference,
  type RegistryReference,
  validated,
} from '@prof-gen/core';
import { type DescribeImageOptions, describeImage } from '@prof-gen/image';
import { type Hub, newestTags } from './hub/hub-client.js';
import { tagsTried } from './list-official.js';
import { rankTags } from './tag/rank-tags.js';

/** A tag that cannot be had is no reason against the next one. */
const nextTag = new Set(['image/not-found', 'image/platform-mismatch', 'image/unsupported-manifest']);

/**
 * Name of a repository of Docker's, at Docker Hub or at a mirror of it.
 * @throws ProfGenError `usage/reference` when the mirror is no host
 */
export function referenceTo(repository: string, mirror: string | undefined, rest: string): RegistryReference {
  return parseRegistryReference(`${mirror ?? 'docker.io'}/library/${repository}${rest}`);
}

/** The tags to try: those of the listing, else `latest` and what Docker Hub says. */
async function* candidates({ name, tags }: ListedRepository, hub: Hub | undefined): AsyncGenerator<string> {
  if (tags !== undefined) {
    for (const { tag } of tags) yield tag;
    return;
  }
  yield 'latest';
  if (hub === undefined) return;
  const others = rankTags(await newestTags(hub, name)).filter((tag) => tag !== 'latest');
  yield* others.slice(0, tagsTried - 1);
}

/**
 * The tag to take, its digest and config.
 * @returns undefined for a repository without tags
 * @throws ProfGenError of the first tag, when none can be had
 */
export async function pinRepository(
  listed: ListedRepository,
  hub: Hub | undefined,
  mirror: string | undefined,
  options: DescribeImageOptions,
): Promise<OfficialImage | undefined> {
  let failure: ProfGenError | undefined;
  for await (const tag of candidates(listed, hub)) {
    try {
      return await pinTag(listed, tag, mirror, options);
    } catch (thrown) {
      if (!(thrown instanceof ProfGenError) || !nextTag.has(thrown.code)) throw thrown;
      failure ??= thrown;
    }
  }
  if (failure !== undefined) throw failure;
  if (listed.state === 'retired') return undefined;
  throw new ProfGenError('image/platform-mismatch', `no tag of ${listed.name} is for linux/amd64`);
}

async function pinTag(
  { name, state, tags }: ListedRepository,
  tag: string,
  mirror: string | undefined,
  options: DescribeImageOptions,
): Promise<OfficialImage> {
  const image = await describeImage(referenceTo(name, mirror, `:${tag}`), options);
  const { entrypoint, cmd, env, exposedPorts, volumes, workingDir, user, stopSignal, healthcheck } =
    image.config;
  const source = tags?.find((one) => one.tag === tag)?.source;
  // What the schema does not take, such as a list without end, is no config that can be kept.
  return validated(
    officialImageSchema,
    {
      name,
      state,
      tag,
      platforms: [...new Set(image.platforms.map(formatPlatform))].sort(compareStrings),
      digest: image.digest,
      manifest: image.manifest,
      size: image.size,
      configFrom: 'image',
      config: { entrypoint, cmd, env, exposedPorts, volumes, workingDir, user, stopSignal, healthcheck },
      ...(source === undefined ? {} : { source }),
    },
    `the config of ${name}:${tag}`,
    'image/bad-config',
  );
}
