import { resolve } from 'node:path';
import type { ImageRecipe } from '@prof-gen/core';
import { type BuiltImage } from './build-image.js';
import { builtImage } from './build-corpus.js';
import { lockPath, readLock } from './layout.js';

export interface CorpusEntry {
  readonly recipe: ImageRecipe;
  /** `outdated`: the layout has an image of an earlier recipe, base or builder. */
  readonly state: 'built' | 'outdated' | 'missing';
  /** The image in the layout, outdated ones too. */
  readonly image?: BuiltImage;
}

/** What a layout has of the recipes. @throws ProfGenError `corpus/bad-layout` */
export async function listCorpus(recipes: readonly ImageRecipe[], layout: string): Promise<CorpusEntry[]> {
  const path = resolve(layout);
  const lock = await readLock(lockPath(path));
  return Promise.all(
    recipes.map(async (recipe): Promise<CorpusEntry> => {
      const current = await builtImage(path, recipe);
      const image = current ?? lock?.images[recipe.name];
      const state = current !== undefined ? 'built' : image === undefined ? 'missing' : 'outdated';
      return { recipe, state, ...(image === undefined ? {} : { image }) };
    }),
  );
}
