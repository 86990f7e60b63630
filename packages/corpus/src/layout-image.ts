import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type OciDescriptor, ProfGenError, printable } from '@prof-gen/core';
import { blobPath, findImage, type LayoutImage } from './layout.js';

/** @throws ProfGenError `corpus/not-built` */
export async function builtOrThrow(layout: string, name: string): Promise<LayoutImage> {
  const image = await findImage(layout, name);
  if (image !== undefined) return image;
  throw new ProfGenError('corpus/not-built', `${printable(layout)} has no image ${printable(name)}`, {
    hint: `build it first: prof-gen corpus build ${printable(name)}`,
  });
}

export function openBlob(layout: string, { digest }: OciDescriptor): AsyncIterable<Uint8Array> {
  return createReadStream(blobPath(layout, digest), { highWaterMark: 1 << 20 });
}

export function readBlob(layout: string, { digest }: Pick<OciDescriptor, 'digest'>): Promise<Buffer> {
  return readFile(blobPath(layout, digest));
}
