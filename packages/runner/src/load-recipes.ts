import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  didYouMean,
  type ImageRecipe,
  imageRecipeSchema,
  ProfGenError,
  printable,
  recipeVariantSchema,
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
    throw new ProfGenError(
      'usage/no-such-recipe',
      `there is no recipe ${printable(name)} in ${printable(directory)}`,
      {
        hint: didYouMean(name, all, 'see: prof-gen corpus list'),
      },
    );
  }
  const wanted = names.length === 0 ? all : [...new Set(names)].sort();
  return Promise.all(wanted.map((name) => loadRecipe(directory, name)));
}

/** One recipe, with what it extends, which must not extend another: a chain would have to be read file by file. */
async function loadRecipe(directory: string, name: string): Promise<ImageRecipe> {
  const file = join(directory, `${name}.yaml`);
  const what = `recipe ${printable(file)}`;
  const value = await readYaml(file);
  if (!isVariant(value)) return named(validated(imageRecipeSchema, value, what, 'usage/bad-recipe'));
  // Validated for what it says before it is joined: a message then names this file's mistakes only. The keys are taken
  // from the file, since the schema would give those that are absent their defaults.
  const variant = named(validated(recipeVariantSchema, value, what, 'usage/bad-recipe'));
  const base = await readYaml(join(directory, `${variant.extends}.yaml`));
  if (isVariant(base)) {
    throw new ProfGenError('usage/bad-recipe', `${what} extends ${variant.extends}, which extends another`, {
      hint: 'extend the recipe that is written out',
    });
  }
  const { extends: _, ...own } = value;
  const joined = { ...(isObject(base) ? base : {}), ...own };
  return validated(imageRecipeSchema, joined, `${what} with ${variant.extends}`, 'usage/bad-recipe');

  function named<R extends { readonly name: string }>(recipe: R): R {
    if (recipe.name === name) return recipe;
    throw new ProfGenError('usage/bad-recipe', `${what} is called ${recipe.name} in it`, {
      hint: 'the file and its name must agree',
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isVariant(value: unknown): value is Record<string, unknown> {
  return isObject(value) && 'extends' in value;
}
