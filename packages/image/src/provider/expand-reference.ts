import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  errorData,
  type ImageReference,
  parseRegistryReference,
  ProfGenError,
  printable,
} from '@prof-gen/core';
import type { ProviderContext } from './image-provider.js';
import { archiveBlobs } from './named-blobs.js';

/** A reference that names one place. */
export type Place = Exclude<ImageReference, { scheme: 'auto' }>;

/**
 * Where to look for an image, in order. A reference with a scheme names one place. Without one, a file or
 * directory that exists decides alone; otherwise the engine is asked, then the registry.
 * @returns the places, and the errors of what could be ruled out at once
 * @throws ProfGenError `usage/reference`, and what is wrong with an existing file
 */
export async function expandReference(
  reference: ImageReference,
  context: ProviderContext,
): Promise<{ places: readonly Place[]; ruledOut: readonly ProfGenError[] }> {
  if (reference.scheme !== 'auto') return { places: [reference], ruledOut: [] };
  const { text } = reference;
  const status = await stat(text).catch(() => undefined);
  if (status?.isDirectory() === true) {
    const layout = await stat(join(text, 'oci-layout')).catch(() => undefined);
    return {
      places: [{ scheme: layout?.isFile() === true ? 'oci' : 'dir', text, directory: text }],
      ruledOut: [],
    };
  }
  if (status !== undefined) return { places: [await archiveReference(text, context)], ruledOut: [] };

  const noFile = new ProfGenError('image/not-found', `there is no file or directory ${printable(text)}`);
  // No name of a repository begins like this.
  if (/^[./~]/.test(text)) return { places: [], ruledOut: [noFile] };
  const places: Place[] = [{ scheme: 'docker', text, name: text }];
  try {
    places.push({ scheme: 'registry', text, name: parseRegistryReference(text) });
  } catch (thrown) {
    // An image id of the engine, in full or its first digits, is no name of a repository.
    if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(text)) return { places, ruledOut: [noFile] };
    throw thrown;
  }
  return { places, ruledOut: [noFile] };
}

/** What kind of archive a file is, by its members; newer `docker save` writes both formats into one. */
async function archiveReference(path: string, context: ProviderContext): Promise<Place> {
  const blobs = await archiveBlobs(path, context.cache, context.limits);
  try {
    if (await blobs.has('manifest.json')) return { scheme: 'docker-archive', text: path, file: path };
    if (await blobs.has('index.json')) return { scheme: 'oci-archive', text: path, file: path };
  } finally {
    await blobs.close();
  }
  throw new ProfGenError('image/not-an-image', `${printable(path)} is a tar archive but not of an image`, {
    hint: 'write one with `docker save -o FILE IMAGE`; for a root file system unpack it and use dir:DIR',
  });
}

/** Means that the image is simply not there, or that the place is not. */
const absent = new Set([
  'image/not-found',
  'environment/no-engine',
  'registry/unreachable',
  'registry/unauthorized',
]);

/** One error for all places tried. A place that had the image but failed with it decides the code. */
export function nowhere(text: string, thrown: readonly unknown[]): ProfGenError {
  const causes = thrown.map(errorData);
  const decisive = causes.findLast(({ code }) => !absent.has(code));
  const list = causes.map(({ message }) => `\n  - ${message}`).join('');
  const hint = decisive?.hint ?? causes.at(-1)?.hint;
  return new ProfGenError(
    decisive?.code ?? 'image/not-found',
    `no image ${printable(text)} was found:${list}`,
    {
      ...(hint === undefined ? {} : { hint }),
      retryable: causes.some(({ retryable }) => retryable === true),
      causes: thrown,
    },
  );
}
