import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildLayer, type LayerEntry } from '../layer/build-layer.js';

export interface FixtureBlob {
  readonly digest: `sha256:${string}`;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** One image, ready to be stored in any format. */
export interface FixtureImage {
  /** Uncompressed, lowest first. */
  readonly layers: readonly Uint8Array[];
  readonly config: FixtureBlob;
  /** As stored by registries and layouts. */
  readonly blobs: readonly FixtureBlob[];
  readonly manifest: FixtureBlob;
  /** Names `manifest` for its platform. */
  readonly index: FixtureBlob;
}

export function fixtureBlob(bytes: Uint8Array, mediaType: string): FixtureBlob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes, mediaType };
}

function json(value: unknown, mediaType: string): FixtureBlob {
  return fixtureBlob(Buffer.from(JSON.stringify(value)), mediaType);
}

const oci = 'application/vnd.oci.image';

function compress(layer: Uint8Array, compression: 'gzip' | 'zstd' | 'none'): FixtureBlob {
  if (compression === 'gzip') return fixtureBlob(gzipSync(layer), `${oci}.layer.v1.tar+gzip`);
  if (compression === 'none') return fixtureBlob(layer, `${oci}.layer.v1.tar`);
  return fixtureBlob(
    execFileSync('zstd', ['-qc'], { input: layer, maxBuffer: 1 << 30 }),
    `${oci}.layer.v1.tar+zstd`,
  );
}

export function fixtureImage(options: {
  readonly layers: readonly Uint8Array[];
  /** One for each layer, repeated from the start. Default gzip. zstd needs its program. */
  readonly compressions?: readonly ('gzip' | 'zstd' | 'none')[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
}): FixtureImage {
  const { layers, compressions = ['gzip'], architecture = 'amd64' } = options;
  const platform = { os: 'linux', architecture };
  const diffIds = layers.map((layer) => fixtureBlob(layer, '').digest);
  const config = json(
    { ...platform, config: options.config ?? {}, rootfs: { type: 'layers', diff_ids: diffIds } },
    `${oci}.config.v1+json`,
  );
  const blobs = layers.map((layer, i) => compress(layer, compressions[i % compressions.length] ?? 'gzip'));
  const describe = ({ digest, bytes, mediaType }: FixtureBlob) => ({ mediaType, digest, size: bytes.length });
  const manifest = json(
    {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: describe(config),
      layers: blobs.map(describe),
    },
    `${oci}.manifest.v1+json`,
  );
  const index = json(
    {
      schemaVersion: 2,
      mediaType: `${oci}.index.v1+json`,
      manifests: [
        { ...describe(manifest), platform },
        {
          mediaType: `${oci}.manifest.v1+json`,
          digest: `sha256:${'0'.repeat(64)}`,
          size: 2,
          platform: { os: 'unknown', architecture: 'unknown' },
        },
      ],
    },
    `${oci}.index.v1+json`,
  );
  return { layers, config, blobs: [...blobs, config], manifest, index };
}

const hex = (digest: string): string => digest.slice('sha256:'.length);

/** Files of an OCI image layout. */
function layoutFiles(image: FixtureImage, tag: string): LayerEntry[] {
  const { digest, bytes, mediaType } = image.manifest;
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  const manifests = [{ mediaType, digest, size: bytes.length, annotations }];
  return [
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...[...image.blobs, image.manifest].map((blob) => ({
      name: `blobs/sha256/${hex(blob.digest)}`,
      content: blob.bytes,
    })),
  ];
}

export function ociArchive(image: FixtureImage, tag: string): Uint8Array {
  return buildLayer(layoutFiles(image, tag));
}

export function writeOciLayout(image: FixtureImage, tag: string, directory: string): void {
  for (const { name, content } of layoutFiles(image, tag)) {
    const path = join(directory, String(name));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content ?? '');
  }
}

/** As `docker save` of engines before 25: equal layers are links to the first, manifest.json is last. */
export function dockerArchiveLegacy(image: FixtureImage, tag: string): Uint8Array {
  const first = new Map<string, string>();
  const names: string[] = [];
  const entries = image.layers.flatMap((layer, i): LayerEntry[] => {
    const id = createHash('sha256')
      .update(`${i}:${hex(image.config.digest)}`)
      .digest('hex');
    const diffId = fixtureBlob(layer, '').digest;
    const name = `${id}/layer.tar`;
    names.push(name);
    const same = first.get(diffId);
    first.set(diffId, same ?? id);
    return [
      { name: `${id}/`, flag: '5' },
      { name: `${id}/VERSION`, content: '1.0' },
      same === undefined ? { name, content: layer } : { name, flag: '2', link: `../${same}/layer.tar` },
    ];
  });
  const config = `${hex(image.config.digest)}.json`;
  return buildLayer([
    ...entries,
    { name: config, content: image.config.bytes },
    { name: 'manifest.json', content: JSON.stringify([{ Config: config, RepoTags: [tag], Layers: names }]) },
  ]);
}

/** As `docker save` since engine 25: an OCI layout with uncompressed layers, and a manifest.json beside it. */
export function dockerArchiveOci(image: FixtureImage, tag: string): Uint8Array {
  const plain = fixtureImageOf(image);
  const path = (digest: string): string => `blobs/sha256/${hex(digest)}`;
  const layers = plain.blobs
    .filter(({ digest }) => digest !== image.config.digest)
    .map(({ digest }) => path(digest));
  return buildLayer([
    ...layoutFiles(plain, tag),
    {
      name: 'manifest.json',
      content: JSON.stringify([{ Config: path(image.config.digest), RepoTags: [tag], Layers: layers }]),
    },
  ]);
}

function fixtureImageOf(image: FixtureImage): FixtureImage {
  const blobs = image.layers.map((layer) => fixtureBlob(layer, `${oci}.layer.v1.tar`));
  return { ...image, blobs: [...blobs, image.config] };
}
