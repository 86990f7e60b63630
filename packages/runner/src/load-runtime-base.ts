import { readFile } from 'node:fs/promises';
import {
  ProfGenError,
  printable,
  type RuntimeBase,
  runtimeBaseSchema,
  validated,
  x86_64Syscalls,
} from '@prof-gen/core';

/**
 * What `prof-gen runtime-base` has measured, from its file.
 * @throws ProfGenError `usage/bad-runtime-base`
 */
export async function loadRuntimeBase(file: string): Promise<RuntimeBase> {
  const what = `runtime base ${printable(file)}`;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ProfGenError('usage/bad-runtime-base', `${what} cannot be read as JSON`, {
      hint: 'give a file that prof-gen runtime-base --output FILE wrote',
      causes: [error],
    });
  }
  const base = validated(runtimeBaseSchema, value, what, 'usage/bad-runtime-base');
  const unknown = base.syscalls.filter((name) => x86_64Syscalls.numberOf(name) === undefined);
  if (unknown.length > 0) {
    throw new ProfGenError(
      'usage/bad-runtime-base',
      `${what} names no call: ${printable(unknown.join(', '))}`,
    );
  }
  return base;
}
