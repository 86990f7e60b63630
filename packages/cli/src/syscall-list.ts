import { ProfGenError, printable, x86_64Syscalls } from '@prof-gen/core';

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
      const close = closest(word);
      throw new ProfGenError('usage/syscall', `"${printable(word)}" is not a system call of x86-64`, {
        hint: close.length > 0 ? `did you mean ${close.join(' or ')}?` : 'use the names of syscalls(2)',
      });
    });
}

/** Names that a few letters part from a word, the nearest first. */
function closest(word: string): string[] {
  const limit = Math.max(1, Math.floor(word.length / 3));
  return x86_64Syscalls.names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name, limit) }))
    .filter((one) => one.distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Letters to insert, delete or replace (Levenshtein); more than `limit` need not be exact. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
