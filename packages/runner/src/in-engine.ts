import type { OpenedImage } from '@prof-gen/image';
import type { LoadedImage, Tracer } from '@prof-gen/tracer';

/** What the engine calls the image; one from elsewhere is loaded into it, and is gone after `remove`. */
export async function inEngine(image: OpenedImage, tracer: Tracer): Promise<LoadedImage> {
  const { engineReference: reference } = image;
  if (reference !== undefined) return { reference, remove: async () => {} };
  return tracer.loadImage((tag) => image.exportDockerArchive(tag));
}
