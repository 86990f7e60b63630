// Where a script's figures go, for whoever compares them.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The directory is made when it is missing. */
export async function writeJson(file, figures) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`);
}
