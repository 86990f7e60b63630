import { type ErrorData, printable } from '@prof-gen/core';

/**
 * An error for people: what, code, hint, then what led to it. Never a stack trace.
 * Text of images may stand in messages, so everything is made printable.
 */
export function errorText(error: ErrorData): string {
  const lines = [`error: ${printable(error.message, 2000)} [${error.code}]`];
  for (const cause of error.causes ?? []) lines.push(...causeLines(cause, '  '));
  if (error.hint !== undefined) lines.push(`  hint: ${printable(error.hint, 2000)}`);
  return `${lines.join('\n')}\n`;
}

function causeLines(error: ErrorData, indent: string): string[] {
  // A cause that is not ours has no code worth showing.
  const code = error.code === 'internal/unexpected' ? '' : ` [${error.code}]`;
  return [
    `${indent}- ${printable(error.message, 1000)}${code}`,
    ...(error.hint === undefined ? [] : [`${indent}  hint: ${printable(error.hint, 1000)}`]),
    ...(error.causes ?? []).flatMap((cause) => causeLines(cause, `${indent}  `)),
  ];
}
