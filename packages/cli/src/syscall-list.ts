import { didYouMean, ProfGenError, printable, x86_64Syscalls } from '@prof-gen/core';

/**
 * Numbers of system calls that are written by name or number with commas between them.
 * @throws ProfGenError `usage/syscall`, with names that are meant perhaps
 */
export function parseSyscalls(text: string): number[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .map((word) => {
      const number = /^\d{1,6}$/.test(word) ? Number(word) : x86_64Syscalls.numberOf(word);
      if (number !== undefined && x86_64Syscalls.nameOf(number) !== undefined) return number;
      throw new ProfGenError('usage/syscall', `"${printable(word)}" is not a system call of x86-64`, {
        hint: didYouMean(word, x86_64Syscalls.names, 'use the names of syscalls(2)'),
      });
    });
}
