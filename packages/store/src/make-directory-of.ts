import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';

/** Makes the directory that `file` is to stand in. @throws ProfGenError `store/cannot-open` */
export function makeDirectoryOf(file: string): void {
  if (file === ':memory:') return;
  const directory = dirname(file);
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new ProfGenError('store/cannot-open', `the directory ${printable(directory)} cannot be made`, {
      hint: 'check its path and permissions',
      causes: [error],
    });
  }
}
