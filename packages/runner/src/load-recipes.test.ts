import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecipes } from './load-recipes.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-recipes-'));
  for (const name of ['redis', 'nginx']) write(name, name);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(file: string, name: string) {
  const recipe = { schemaVersion: 1, name, description: 'd', suite: 'sid', packages: [], config: {} };
  // JSON is YAML too.
  writeFileSync(join(directory, `${file}.yaml`), JSON.stringify(recipe));
}

function extend(name: string, base: string, more: object) {
  writeFileSync(
    join(directory, `${name}.yaml`),
    JSON.stringify({ schemaVersion: 1, name, extends: base, ...more }),
  );
}

describe('loadRecipes', () => {
  it('gives all, or those that are named, each once and sorted', async () => {
    expect((await loadRecipes(directory, [])).map(({ name }) => name)).toEqual(['nginx', 'redis']);
    expect((await loadRecipes(directory, ['redis', 'redis'])).map(({ name }) => name)).toEqual(['redis']);
  });

  it('says which name was meant perhaps', async () => {
    await expect(loadRecipes(directory, ['reddis'])).rejects.toMatchObject({
      code: 'usage/no-such-recipe',
      hint: 'did you mean redis?',
    });
  });

  it('refuses a file with another name than its recipe, and a directory that is not there', async () => {
    write('other', 'name');
    await expect(loadRecipes(directory, ['other'])).rejects.toMatchObject({ code: 'usage/bad-recipe' });
    await expect(loadRecipes(join(directory, 'none'), [])).rejects.toMatchObject({
      code: 'usage/no-such-file',
    });
  });

  it('takes from an extended recipe what a variant does not say', async () => {
    extend('redis-trixie', 'redis', { suite: 'trixie', packages: ['redis'] });
    const [recipe] = await loadRecipes(directory, ['redis-trixie']);
    const [base] = await loadRecipes(directory, ['redis']);
    expect(recipe).toEqual({ ...base, name: 'redis-trixie', suite: 'trixie', packages: ['redis'] });
  });

  it.each([
    ['a chain', { extends: 'variant' }, 'extends another'],
    ['an unknown key', { extends: 'redis', sweet: 'trixie' }, 'sweet'],
    ['a recipe that is not there', { extends: 'none' }, 'none'],
  ])('refuses %s', async (_, more, message) => {
    extend('variant', 'redis', {});
    extend('refused', 'redis', more);
    await expect(loadRecipes(directory, ['refused'])).rejects.toThrow(message);
  });
});
