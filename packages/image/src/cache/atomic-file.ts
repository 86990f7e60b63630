import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A name nobody else uses, beside where the file will stand, so that renaming is atomic. */
export function temporaryBeside(path: string): string {
  return `${path}.${process.pid}-${randomUUID()}.tmp`;
}

/**
 * Writes a file that others see whole or not at all. Equal content may be written by several processes
 * at once: each has its own temporary file, and the last rename changes nothing.
 * @param write returns false to give the file up
 */
export async function writeAtomically(
  path: string,
  write: (file: FileHandle) => Promise<boolean | void>,
): Promise<void> {
  const temporary = temporaryBeside(path);
  const file = await openNew(temporary);
  let keep = false;
  try {
    keep = (await write(file)) !== false;
  } finally {
    await file.close();
    if (!keep) await rm(temporary, { force: true });
  }
  if (!keep) return;
  try {
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o644);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'wx', 0o644);
  }
}
