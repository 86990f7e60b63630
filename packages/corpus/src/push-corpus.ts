import { resolve } from 'node:path';
import { type EventSink, errorData, parseRegistryReference } from '@prof-gen/core';
import { type RegistryOptions, registryPusher } from '@prof-gen/image';
import { builtOrThrow, openBlob, readBlob } from './layout-image.js';

export interface PushCorpusOptions {
  readonly layout: string;
  readonly registry?: RegistryOptions;
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

/**
 * Fills a registry: each image becomes `REGISTRY/NAME:latest`. Equal layers are sent once.
 * @param registry a host, with a port or not, and a path below it perhaps: `localhost:5000`, `ghcr.io/me/corpus`
 * @returns bytes that were sent
 * @throws ProfGenError `usage/reference`, `corpus/not-built`, `registry/*`
 */
export async function pushCorpus(
  registry: string,
  names: readonly string[],
  { layout: given, registry: options, onEvent, signal }: PushCorpusOptions,
): Promise<number> {
  const layout = resolve(given);
  const targets = names.map((name) => ({
    name,
    target: parseRegistryReference(`${registry}/${name}:latest`),
  }));
  let image = '';
  let done = 0;
  let told = 0;
  const pusher = registryPusher(targets[0]?.target.registry ?? registry, {
    ...(options === undefined ? {} : { registry: options }),
    ...(signal === undefined ? {} : { signal }),
    warn: (error) => onEvent({ type: 'warning', image, error: errorData(error) }),
    sent(bytes) {
      done += bytes;
      if (done - told < 16 << 20) return;
      told = done;
      onEvent({ type: 'progress', image, phase: 'push', done, unit: 'bytes' });
    },
  });
  let total = 0;
  for (const { name, target } of targets) {
    image = name;
    done = 0;
    told = 0;
    onEvent({ type: 'phase', image: name, phase: 'push' });
    const built = await builtOrThrow(layout, name);
    const sent = await pusher.push(target.repository, 'latest', {
      manifest: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        bytes: await readBlob(layout, { digest: built.manifest }),
      },
      blobs: [...built.layers, built.config].map((blob) => ({
        digest: blob.digest,
        size: blob.size,
        open: () => openBlob(layout, blob),
      })),
    });
    total += sent;
    const message = sent === 0 ? 'nothing to send' : `${(sent / 1e6).toFixed(1)} MB sent`;
    onEvent({ type: 'finished', image: name, outcome: 'done', message });
  }
  return total;
}
