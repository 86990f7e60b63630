import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  closestWords,
  type ImageRecipe,
  imageRecipeSchema,
  ProfGenError,
  printable,
  validated,
} from '@prof-gen/core';
import { readYaml } from './read-yaml.js';

/**
 * Recipes of a directory, sorted by name: those of `names`, or all of them when there are none.
 * @throws ProfGenError `usage/no-such-recipe` with names that are meant perhaps, `usage/bad-recipe`,
 *   `usage/no-such-file` and what `readYaml` throws
 */
export async function loadRecipes(directory: string, names: readonly string[]): Promise<ImageRecipe[]> {
  const all = (
    await readdir(directory).catch((thrown: unknown) => {
      throw new ProfGenError('usage/no-such-file', `there is no directory ${printable(directory)}`, {
        hint: 'name the directory of recipes: --recipes DIR',
        causes: [thrown],
      });
    })
  )
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
  for (const name of names) {
    if (all.includes(name)) continue;
    const close = closestWords(name, all);
    throw new ProfGenError(
      'usage/no-such-recipe',
      `there is no recipe ${printable(name)} in ${printable(directory)}`,
      {
        hint: close.length > 0 ? `did you mean ${close.join(' or ')}?` : 'see: prof-gen corpus list',
      },
    );
  }
  const wanted = names.length === 0 ? all : [...new Set(names)].sort();
  return Promise.all(
    wanted.map(async (name) => {
      const file = join(directory, `${name}.yaml`);
      const what = `recipe ${printable(file)}`;
      const recipe = validated(imageRecipeSchema, await readYaml(file), what, 'usage/bad-recipe');
      if (recipe.name === name) return recipe;
      throw new ProfGenError('usage/bad-recipe', `${what} is called ${recipe.name} in it`, {
        hint: 'the file and its name must agree',
      });
    }),
  );
}
