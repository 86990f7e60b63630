import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';
import { isRunning, processIdentity } from './process-identity.js';

/**
 * A directory for what is under way, named after this process. Those of processes that are gone are removed: their
 * mounts have gone with their namespaces.
 */
export async function openWorkDirectory(parent: string): Promise<{ path: string; close(): Promise<void> }> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (/^\d+-\d+$/.test(name) && !(await isRunning(name))) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
  const path = join(parent, (await processIdentity()) ?? `${process.pid}-0`);
  await mkdir(path, { recursive: true });
  return { path, close: () => removeTree(path) };
}

/** Removes a directory that programs which were just killed may still have been writing to. */
export function removeTree(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/**
 * Keeps a layout to this process until `release`.
 * @throws ProfGenError `corpus/busy`
 */
export async function lockLayout(layout: string): Promise<{ release(): Promise<void> }> {
  await mkdir(layout, { recursive: true });
  const file = join(layout, '.builder');
  for (;;) {
    try {
      // By a link, so that the file is never there without its content.
      const own = `${file}.${process.pid}`;
      await writeFile(own, (await processIdentity()) ?? '');
      await link(own, file).finally(() => rm(own, { force: true }));
      return { release: () => rm(file, { force: true }) };
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      const holder = (await readFile(file, 'utf8').catch(() => '')).trim();
      if (holder !== '' && (await isRunning(holder))) {
        throw new ProfGenError(
          'corpus/busy',
          `process ${holder.split('-')[0]} is building into ${printable(layout)}`,
          { hint: 'wait for it, or build into another layout: --layout DIR' },
        );
      }
      await rm(file, { force: true });
    }
  }
}
