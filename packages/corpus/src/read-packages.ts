import { readFile } from 'node:fs/promises';

/** Lines of `name version`, as dpkg-query prints them; a name may come once for each architecture. */
export async function readPackages(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes(' '));
  return Object.fromEntries(lines.sort().map((line) => line.split(' ', 2) as [string, string]));
}
