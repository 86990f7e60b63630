import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';

/**
 * Writes the whole file or nothing: a half-written profile would lock a container out, or in.
 * What making `content` throws is thrown as it is.
 * @throws ProfGenError `environment/disk-full`, `usage/cannot-write`
 */
export async function writeWholeFile(
  file: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const partial = `${file}.${process.pid}.partial`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(partial, content);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new ProfGenError(
      full ? 'environment/disk-full' : 'usage/cannot-write',
      `${printable(file)} cannot be written`,
      {
        causes: [error],
        hint: full ? 'make room on that disk and run the command again' : 'choose another file',
      },
    );
  }
}
