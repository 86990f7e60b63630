import { type Expectation, printable } from '@prof-gen/core';
import type { CommandResult } from '../container/container.js';

/** The end of an output, for people. */
export function tailOf(output: string): string {
  return printable(output.trim().slice(-400), 600);
}

/** What is wrong with a result, or undefined. */
export function problemOf(result: CommandResult, expect: Expectation): string | undefined {
  if (result.exit === undefined) return `it did not end in time; it said: ${tailOf(result.output)}`;
  const problems: string[] = [];
  const { exit } = expect;
  const exitIsGood = exit === 'any' || (exit === 'nonzero' ? result.exit !== 0 : result.exit === exit);
  if (!exitIsGood) problems.push(`exit status ${result.exit}, expected ${exit}`);
  for (const pattern of expect.output) {
    if (!new RegExp(pattern, 'm').test(result.output)) problems.push(`the output does not match ${pattern}`);
  }
  for (const pattern of expect.not) {
    if (new RegExp(pattern, 'm').test(result.output)) problems.push(`the output matches ${pattern}`);
  }
  return problems.length === 0 ? undefined : `${problems.join('; ')}; it said: ${tailOf(result.output)}`;
}
