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

/** One recipe, with what it extends. */
async function loadRecipe(directory: string, name: string): Promise<ImageRecipe> {
  const file = join(directory, `${name}.yaml`);
  const what = `recipe ${printable(file)}`;
  const value = await readYaml(file);
  const recipe = isVariant(value)
    ? await joinedRecipe(directory, value, what)
    : validated(imageRecipeSchema, value, what, 'usage/bad-recipe');
  if (recipe.name === name) return recipe;
  throw new ProfGenError('usage/bad-recipe', `${what} is called ${recipe.name} in it`, {
    hint: 'the file and its name must agree',
  });
}

/** A variant with what it extends, which must not extend another: a chain would have to be read file by file. */
async function joinedRecipe(directory: string, variant: Variant, what: string): Promise<ImageRecipe> {
  // Validated for what it says before it is joined: a message then names this file's mistakes only.
  const { extends: extended } = validated(recipeVariantSchema, variant, what, 'usage/bad-recipe');
  const base = await readYaml(join(directory, `${extended}.yaml`));
  if (isVariant(base)) {
    throw new ProfGenError('usage/bad-recipe', `${what} extends ${extended}, which extends another`, {
      hint: 'extend the recipe that is written out',
    });
  }
  // The keys are those of the files: the schema would give the variant's absent ones their defaults.
  const { extends: _, ...own } = variant;
  return validated(
    imageRecipeSchema,
    Object.assign({}, base, own),
    `${what} with ${extended}`,
    'usage/bad-recipe',
  );
}

/** As a file has it, not validated. */
type Variant = Record<'extends', unknown>;

function isVariant(value: unknown): value is Variant {
  return typeof value === 'object' && value !== null && 'extends' in value;
}
