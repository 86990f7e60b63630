import { defaultPlatform, type EventSink, type Platform, ProfGenError } from '@prof-gen/core';
import { type OpenedImage, openImage } from '@prof-gen/image';
import type { Workbench } from './workbench.js';

/**
 * Opens an image of a platform that can be analysed.
 * @throws ProfGenError of `image`, and `analysis/unsupported-platform`
 */
export async function openForAnalysis(
  {
    name,
    reference,
    platform = defaultPlatform,
  }: { readonly name: string; readonly reference: string; readonly platform?: Platform },
  { cache, socketPath, signal }: Workbench,
  onEvent: EventSink,
): Promise<OpenedImage> {
  const image = await openImage(reference, {
    cache,
    platform,
    name,
    onEvent,
    ...(socketPath === undefined ? {} : { engine: { socketPath } }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (image.platform.architecture === 'amd64' && image.platform.os === 'linux') return image;
  await image.close();
  throw new ProfGenError('analysis/unsupported-platform', 'only linux/amd64 images can be analysed so far');
}
