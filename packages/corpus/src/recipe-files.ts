import type { ImageRecipe } from '@prof-gen/core';
import { tarEnd, tarHeader, tarPadding } from '@prof-gen/image';

/** Files and links of a recipe as a tar, to be unpacked within the image's root: nothing of it touches other paths. */
export function recipeFiles({ files, links }: Pick<ImageRecipe, 'files' | 'links'>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { path, content, mode } of files) {
    const bytes = Buffer.from(content);
    parts.push(
      tarHeader({ name: path.slice(1), type: 'file', mode, size: bytes.length }),
      bytes,
      tarPadding(bytes.length),
    );
  }
  for (const { path, target } of links) {
    parts.push(tarHeader({ name: path.slice(1), type: 'symlink', mode: 0o777, size: 0, linkName: target }));
  }
  return Buffer.concat([...parts, tarEnd]);
}
