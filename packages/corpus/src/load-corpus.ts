import { resolve } from 'node:path';
import type { EventSink } from '@prof-gen/core';
import { dockerArchive, type EngineOptions, imageLoader } from '@prof-gen/image';
import { builtOrThrow, openBlob, readBlob } from './layout-image.js';

export interface LoadCorpusOptions {
  readonly layout: string;
  readonly engine: EngineOptions;
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

/** Images of one archive: their common layers go once, and progress is told in between. */
const atOnce = 8;

/**
 * Brings images into the engine as `prof-gen/NAME:latest`: those that it lacks or has in another version.
 * @returns how many were loaded
 * @throws ProfGenError `corpus/not-built`, `environment/*`, `image/not-loadable`
 */
export async function loadCorpus(
  names: readonly string[],
  { layout: given, engine, onEvent, signal }: LoadCorpusOptions,
): Promise<number> {
  const layout = resolve(given);
  const loader = await imageLoader(engine, signal);
  const images = await Promise.all(
    names.map(async (name) => ({
      name,
      tag: `prof-gen/${name}:latest`,
      image: await builtOrThrow(layout, name),
    })),
  );
  const lacking = [];
  for (const one of images) {
    const id = await loader.idOf(one.tag);
    // The manifest's digest with containerd's storage.
    if (id === one.image.config.digest || id === one.image.manifest) {
      onEvent({ type: 'finished', image: one.name, outcome: 'skipped', message: 'in the engine' });
    } else lacking.push(one);
  }
  for (let at = 0; at < lacking.length; at += atOnce) {
    const batch = lacking.slice(at, at + atOnce);
    for (const { name } of batch) onEvent({ type: 'phase', image: name, phase: 'load' });
    const archived = await Promise.all(
      batch.map(async ({ tag, image }) => {
        const config = await readBlob(layout, image.config);
        const layers = image.layers.map((layer) => ({
          diffId: layer.digest,
          size: layer.size,
          open: () => openBlob(layout, layer),
        }));
        return { tag, layers, configBytes: () => config };
      }),
    );
    await loader.load(dockerArchive(archived));
    for (const { name, tag } of batch) {
      onEvent({ type: 'finished', image: name, outcome: 'done', message: `loaded as ${tag}` });
    }
  }
  return lacking.length;
}
