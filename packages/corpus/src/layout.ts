import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CorpusLock,
  compareStrings,
  corpusLockSchema,
  type Digest,
  type OciDescriptor,
  ociIndexSchema,
  ociManifestSchema,
  ProfGenError,
  printable,
  validated,
} from '@prof-gen/core';
import { writeAtomically } from '@prof-gen/image';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar';
const nameAnnotation = 'org.opencontainers.image.ref.name';

export function blobPath(layout: string, digest: Digest): string {
  return join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
}

/** Beside the index: what every image was built from. */
export function lockPath(layout: string): string {
  return join(layout, 'corpus.lock.json');
}

export interface LayoutImage {
  readonly manifest: Digest;
  /** Of config and layers, in the manifest's order. */
  readonly config: OciDescriptor;
  readonly layers: readonly OciDescriptor[];
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ProfGenError('corpus/bad-layout', `${printable(file)} is not JSON`, {
      hint: 'remove the layout and build it again',
    });
  }
}

const jsonOf = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);

async function writeFileWhole(file: string, bytes: Uint8Array): Promise<void> {
  await writeAtomically(file, async (handle) => {
    await handle.writeFile(bytes);
  });
}

/** @throws ProfGenError `corpus/bad-layout` */
export async function readLock(file: string): Promise<CorpusLock | undefined> {
  const value = await readJson(file);
  return value === undefined
    ? undefined
    : validated(corpusLockSchema, value, printable(file), 'corpus/bad-layout');
}

const turns = new Map<string, Promise<unknown>>();

/** Runs `work` when what this process does to the layout's index or lock before it has ended. */
function inTurn<T>(layout: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(layout) ?? Promise.resolve()).then(work, work);
  turns.set(layout, turn);
  return turn;
}

/** Adds suites and images to the layout's lock, in place of those of the same name. */
export function addToLock(
  layout: string,
  { suites = {}, images = {} }: Partial<Pick<CorpusLock, 'suites' | 'images'>>,
): Promise<void> {
  return inTurn(layout, async () => {
    const lock = await readLock(lockPath(layout));
    await writeLock(layout, {
      schemaVersion: 1,
      suites: { ...lock?.suites, ...suites },
      images: { ...lock?.images, ...images },
    });
  });
}

async function writeLock(layout: string, lock: CorpusLock): Promise<void> {
  const sorted = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => compareStrings(a, b)));
  await writeFileWhole(
    lockPath(layout),
    jsonOf({ ...lock, suites: sorted(lock.suites), images: sorted(lock.images) }),
  );
}

async function readIndex(layout: string): Promise<OciDescriptor[]> {
  const value = await readJson(join(layout, 'index.json'));
  if (value === undefined) return [];
  return validated(ociIndexSchema, value, `${printable(layout)}/index.json`, 'corpus/bad-layout').manifests;
}

async function readManifest(layout: string, digest: Digest): Promise<LayoutImage | undefined> {
  const value = await readJson(blobPath(layout, digest));
  if (value === undefined) return undefined;
  const { config, layers } = validated(ociManifestSchema, value, `manifest ${digest}`, 'corpus/bad-layout');
  return { manifest: digest, config, layers };
}

const nameOf = ({ annotations }: OciDescriptor) => annotations?.[nameAnnotation];

/** The image of that name, whole: with all its blobs. Undefined where anything of it is missing. */
export async function findImage(layout: string, name: string): Promise<LayoutImage | undefined> {
  const entry = (await readIndex(layout)).find((one) => nameOf(one) === name);
  const image = entry && (await readManifest(layout, entry.digest));
  if (image === undefined) return undefined;
  for (const { digest, size } of [image.config, ...image.layers]) {
    if (!(await hasBlob(layout, digest, size))) return undefined;
  }
  return image;
}

export async function hasBlob(layout: string, digest: Digest, size?: number): Promise<boolean> {
  const found = await stat(blobPath(layout, digest)).catch(() => undefined);
  return found?.isFile() === true && (size === undefined || found.size === size);
}

/**
 * Writes config and manifest and names the image in the index, in place of the image that bore the name.
 * @param layers lowest first, their blobs written already
 */
export function addImage(
  layout: string,
  name: string,
  config: Uint8Array,
  layers: readonly { readonly digest: Digest; readonly size: number }[],
): Promise<Digest> {
  return inTurn(layout, () => writeImage(layout, name, config, layers));
}

async function writeImage(
  layout: string,
  name: string,
  config: Uint8Array,
  layers: readonly { readonly digest: Digest; readonly size: number }[],
): Promise<Digest> {
  const put = async (bytes: Uint8Array): Promise<{ digest: Digest; size: number }> => {
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await writeFileWhole(blobPath(layout, digest), bytes);
    return { digest, size: bytes.length };
  };
  const manifest = await put(
    jsonOf({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: configType, ...(await put(config)) },
      layers: layers.map(({ digest, size }) => ({ mediaType: layerType, digest, size })),
    }),
  );
  const entry = {
    mediaType: manifestType,
    ...manifest,
    platform: { os: 'linux', architecture: 'amd64' },
    annotations: { [nameAnnotation]: name },
  };
  const before = await readIndex(layout);
  const manifests = [...before.filter((one) => nameOf(one) !== name), entry].sort((a, b) =>
    compareStrings(nameOf(a) ?? '', nameOf(b) ?? ''),
  );
  await writeFileWhole(join(layout, 'oci-layout'), Buffer.from('{"imageLayoutVersion":"1.0.0"}\n'));
  await writeFileWhole(
    join(layout, 'index.json'),
    jsonOf({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }),
  );
  await removeUnused(
    layout,
    before.filter((one) => nameOf(one) === name && one.digest !== manifest.digest),
    manifests,
  );
  return manifest.digest;
}

/** Removes what only images that are no longer named consisted of; the bases of the suites stay. */
async function removeUnused(
  layout: string,
  gone: readonly OciDescriptor[],
  left: readonly OciDescriptor[],
): Promise<void> {
  if (gone.length === 0) return;
  const blobsOf = async (entries: readonly OciDescriptor[]) => {
    const blobs = new Set<Digest>();
    for (const { digest } of entries) {
      const image = await readManifest(layout, digest);
      for (const blob of [digest, image?.config.digest, ...(image?.layers ?? []).map((one) => one.digest)]) {
        if (blob !== undefined) blobs.add(blob);
      }
    }
    return blobs;
  };
  const used = await blobsOf(left);
  for (const { layer } of Object.values((await readLock(lockPath(layout)))?.suites ?? {})) used.add(layer);
  for (const digest of await blobsOf(gone)) {
    if (!used.has(digest)) await rm(blobPath(layout, digest), { force: true });
  }
}
