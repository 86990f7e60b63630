import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confinePublishedSchema, officialDatasetSchema, renderOfficialDataset } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataset } from './load-dataset.js';
import { loadRecipes } from './load-recipes.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-dataset-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function dataset(text: string): Promise<string> {
  const file = join(directory, 'dataset.yaml');
  await writeFile(file, text);
  return file;
}

const head = 'schemaVersion: 1\nname: some\ndescription: some images\nimages:\n';

describe('loadDataset', () => {
  it('reads the dataset that scripts/evaluate runs, with its workloads', async () => {
    const { images } = await loadDataset(join(import.meta.dirname, '../../../datasets/evaluate.yaml'));
    expect(images.map(({ name, test }) => [name, test?.name])).toEqual([
      ['redis', 'redis'],
      ['nginx', 'nginx'],
      ['python', 'python'],
    ]);
  });

  it('reads the applications, each with a recipe and a test of its own', async () => {
    const datasets = join(import.meta.dirname, '../../../datasets');
    const { images } = await loadDataset(join(datasets, 'applications.yaml'));
    expect(images.length).toBeGreaterThan(10);
    for (const { name, reference, official, test, cmd } of images) {
      const built = /^docker:prof-gen\/(.+):latest$/.exec(reference)?.[1] ?? reference;
      const [recipe] = await loadRecipes(join(datasets, 'debian-official'), [built]);
      expect([test?.name, recipe?.name, recipe?.official]).toEqual([name, built, official]);
      // The same image under another name is the same image run in another way.
      if (built !== name) expect(cmd).toBeDefined();
    }
  });

  it('reads the same applications of other releases, each with a recipe, its official image and a test that is there', async () => {
    const datasets = join(import.meta.dirname, '../../../datasets');
    const { images } = await loadDataset(join(datasets, 'suites.yaml'));
    const recipes = await loadRecipes(
      join(datasets, 'debian-official'),
      images.map(({ name }) => name),
    );
    expect(recipes.map(({ name, official }) => [name, official])).toEqual(
      images.map(({ name, official }) => [name, official]).sort(),
    );
    // Named after its application and where it is from: a suite of Debian, or npm in a version.
    const origin = /-(?:bullseye|bookworm|trixie|sid|\d+-npm)$/;
    for (const { name, test } of images) expect(name.replace(origin, '')).toBe(test?.name);
  });

  it('reads all of the corpus as the files that it includes', async () => {
    const datasets = join(import.meta.dirname, '../../../datasets');
    const [whole, ...parts] = await Promise.all(
      ['corpus', 'applications', 'suites'].map((name) => loadDataset(join(datasets, `${name}.yaml`))),
    );
    expect(whole?.dataset.name).toBe('corpus');
    expect(whole?.images).toEqual(parts.flatMap(({ images }) => images));
  });

  it('includes files of another directory, and no files that include others', async () => {
    await mkdir(join(directory, 'parts'), { recursive: true });
    await writeFile(join(directory, 'parts/a.yaml'), `${head}  - { name: a, reference: 'docker:a' }\n`);
    const including = (file: string) =>
      `schemaVersion: 1\nname: all\ndescription: all\nincludes: [${file}]\nimages: [{ name: b, reference: 'docker:b' }]\n`;
    const file = await dataset(including('parts/a.yaml'));
    expect((await loadDataset(file)).images.map(({ name }) => name)).toEqual(['a', 'b']);
    await writeFile(join(directory, 'parts/b.yaml'), including('a.yaml'));
    await expect(dataset(including('parts/b.yaml')).then((path) => loadDataset(path))).rejects.toMatchObject({
      code: 'usage/bad-dataset',
      hint: expect.stringContaining('dataset.yaml') as unknown,
    });
    await expect(
      dataset('schemaVersion: 1\nname: x\ndescription: x\n').then((path) => loadDataset(path)),
    ).rejects.toThrow(/no images/);
  });

  it('takes the images that are asked for, in the order of the dataset, under a hash of their own', async () => {
    const file = join(import.meta.dirname, '../../../datasets/evaluate.yaml');
    const whole = await loadDataset(file);
    const part = await loadDataset(file, ['python', 'redis']);
    expect(part.images.map(({ name }) => name)).toEqual(['redis', 'python']);
    expect(part.hash).not.toBe(whole.hash);
    expect((await loadDataset(file, ['python', 'nginx', 'redis'])).hash).toBe(whole.hash);
    await expect(loadDataset(file, ['pyton'])).rejects.toMatchObject({
      code: 'usage/no-such-image',
      hint: 'did you mean python?',
    });
  });

  it("reads Docker's official images as they were frozen", async () => {
    const datasets = join(import.meta.dirname, '../../../datasets');
    const file = join(datasets, 'docker-official/2026-08-21.json');
    const { dataset: official, images } = await loadDataset(file);
    expect([official.name, images.length]).toEqual(['docker-official-2026-08-21', 137]);
    expect(images.find(({ name }) => name === 'postgres')).toEqual({
      name: 'postgres',
      reference: 'registry:docker.io/library/postgres:latest',
      official: 'postgres:latest',
      category: 'Databases & Storage',
      env: ['POSTGRES_PASSWORD=password'],
    });
    const text = await readFile(file, 'utf8');
    const frozen = officialDatasetSchema.parse(JSON.parse(text));
    expect(renderOfficialDataset(frozen)).toBe(text);
    expect(frozen.images.length).toBe(144);
    // Confine's names are there, and each official image of Confine's time is marked or listed.
    const confine = confinePublishedSchema.parse(
      JSON.parse(await readFile(join(datasets, 'confine-published/published.json'), 'utf8')),
    );
    const marked = frozen.images.flatMap((image) => image.confine ?? []);
    const names = new Set(confine.images.map(({ name }) => name));
    expect(marked.filter((name) => !names.has(name))).toEqual([]);
    const listed = [...marked, ...frozen.confineElsewhere];
    expect(new Set(listed).size).toBe(listed.length);
    const theirs = confine.images.filter((image) => image.official).map(({ name }) => name);
    expect(theirs.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it('refuses what claims to be official images and is not', async () => {
    const file = await dataset('kind: docker-official\nimages: []\n');
    await expect(loadDataset(file)).rejects.toMatchObject({ code: 'usage/bad-dataset' });
  });

  it('refuses a workload whose pattern is none', async () => {
    const file = await dataset(`${head}  - { name: a, reference: a, workload: w.yaml }\n`);
    const workload = 'schemaVersion: 1\nname: w\ndescription: d\nready: { log: "(?i)ready" }\nsteps: []\n';
    await writeFile(join(directory, 'w.yaml'), workload);
    await expect(loadDataset(file)).rejects.toMatchObject({ code: 'usage/bad-workload' });
  });

  it('has another hash when a workload says something else', async () => {
    const file = await dataset(`${head}  - { name: a, reference: a, workload: w.yaml }\n`);
    const workload = 'schemaVersion: 1\nname: w\ndescription: d\nready: { port: 1 }\nsteps: []\n';
    await writeFile(join(directory, 'w.yaml'), workload);
    const { hash } = await loadDataset(file);
    expect((await loadDataset(file)).hash).toBe(hash);
    await writeFile(join(directory, 'w.yaml'), workload.replace('port: 1', 'port: 2'));
    expect((await loadDataset(file)).hash).not.toBe(hash);
  });

  it.each([
    [
      'a name twice',
      `${head}  - { name: a, reference: a }\n  - { name: a, reference: b }\n`,
      'usage/bad-dataset',
    ],
    ['an unknown field', `${head}  - { name: a, reference: a, colour: red }\n`, 'usage/bad-dataset'],
    [
      'a name that would leave the directory',
      `${head}  - { name: ../a, reference: a }\n`,
      'usage/bad-dataset',
    ],
    [
      'a workload that is not there',
      `${head}  - { name: a, reference: a, workload: no.yaml }\n`,
      'usage/no-such-file',
    ],
    ['something that is not YAML', '{[', 'usage/bad-yaml'],
    ['a bomb of aliases', bomb(), 'usage/bad-yaml'],
  ])('refuses %s', async (_, text, code) => {
    await expect(loadDataset(await dataset(text))).rejects.toMatchObject({ code });
  });
});

/** Nine levels of nine aliases each: 300 million values in a few lines. */
function bomb(): string {
  const lines = ['a0: &a0 [x]'];
  for (let i = 1; i <= 9; i += 1)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}
