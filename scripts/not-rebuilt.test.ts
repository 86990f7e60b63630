import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const datasets = join(import.meta.dirname, '../datasets');

async function read<T>(path: string): Promise<T> {
  return parse(await readFile(join(datasets, path), 'utf8')) as T;
}

describe('the official images', () => {
  it('are rebuilt, or listed once with the reason why not', async () => {
    const { reasons } = await read<{ reasons: { reason: string; images: string[] }[] }>('not-rebuilt.yaml');
    const { images } = await read<{ images: { name: string }[] }>('docker-official/2026-08-21.json');
    const rebuilt = new Set<string | undefined>();
    for (const recipe of await readdir(join(datasets, 'debian-official'))) {
      const { official } = await read<{ official?: string }>(`debian-official/${recipe}`);
      rebuilt.add(official?.replace(/:.*/, ''));
    }
    const missing = images.map(({ name }) => name).filter((name) => !rebuilt.has(name));
    expect(reasons.every(({ reason }) => reason.length > 0)).toBe(true);
    expect(reasons.flatMap((one) => one.images).toSorted()).toEqual(missing.toSorted());
  });
});
