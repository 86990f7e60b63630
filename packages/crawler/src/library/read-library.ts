import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareStrings, officialNameSchema, ProfGenError, printable } from '@prof-gen/core';
import { type LibraryEntry, parseLibraryFile } from './parse-library-file.js';

export interface Library {
  /** By repository, sorted. */
  readonly entries: ReadonlyMap<string, readonly LibraryEntry[]>;
  /** SHA-256 of the names and contents of its files, in hexadecimal. */
  readonly hash: string;
}

const maxFiles = 5000;
/** The largest library file has some 60 KB. */
const maxBytes = 4 * 1024 * 1024;

/**
 * The library files of a checkout of docker-library/official-images, or of its directory `library`.
 * @throws ProfGenError `usage/no-such-file`, `usage/bad-library-file`
 */
export async function readLibrary(directory: string): Promise<Library> {
  const inside = join(directory, 'library');
  const isCheckout = (await lstat(inside).catch(() => undefined))?.isDirectory() === true;
  const from = isCheckout ? inside : directory;
  const names = await readdir(from).catch((thrown: unknown) => {
    throw new ProfGenError('usage/no-such-file', `${printable(directory)} is no directory of library files`, {
      hint: 'clone https://github.com/docker-library/official-images and name the clone',
      causes: [thrown],
    });
  });
  const entries = new Map<string, readonly LibraryEntry[]>();
  const hash = createHash('sha256');
  for (const name of names.sort(compareStrings)) {
    const path = join(from, name);
    const status = await lstat(path);
    if (!officialNameSchema.safeParse(name).success || !status.isFile()) continue;
    if (status.size > maxBytes || entries.size === maxFiles) {
      throw new ProfGenError(
        'usage/bad-library-file',
        `${printable(path)} is too large, or one file too many`,
      );
    }
    const text = await readFile(path, 'utf8');
    entries.set(name, parseLibraryFile(text, name));
    hash.update(`${name}\0${text.length}\0${text}`);
  }
  if (entries.size === 0) {
    throw new ProfGenError('usage/no-such-file', `${printable(directory)} has no library files`, {
      hint: 'clone https://github.com/docker-library/official-images and name the clone',
    });
  }
  return { entries, hash: hash.digest('hex') };
}
