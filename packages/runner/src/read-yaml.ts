import { readFile } from 'node:fs/promises';
import { ProfGenError, printable } from '@prof-gen/core';
import { parse } from 'yaml';

/** A file of people's own; more than this is a mistake. */
const byteLimit = 4 << 20;

/**
 * A YAML (or JSON) file as plain values.
 * @throws ProfGenError `usage/no-such-file`, `usage/unreadable-file`, `usage/bad-yaml`
 */
export async function readYaml(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ProfGenError(
      missing ? 'usage/no-such-file' : 'usage/unreadable-file',
      missing ? `there is no file ${printable(file)}` : `${printable(file)} cannot be read`,
      { causes: [error] },
    );
  }
  if (text.length > byteLimit)
    throw new ProfGenError('usage/bad-yaml', `${printable(file)} is larger than 4 MiB`);
  try {
    // Aliases multiply: a few lines can become gigabytes.
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new ProfGenError('usage/bad-yaml', `${printable(file)} is not YAML: ${printable(message)}`);
  }
}
