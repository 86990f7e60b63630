import type { SummaryConstraint } from '../summary/guard-tables.js';

/** General registers by their number in instructions, as an assembler calls them. */
const registers = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
const registerName = (number: number): string => registers[number] ?? `r${number}`;

const END = Number.MAX_SAFE_INTEGER;

function rangesText(ranges: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first = 0, last = 0] = [ranges[i], ranges[i + 1]];
    if (first === last) parts.push(`${first}`);
    else if (first === -END) parts.push(`at most ${last}`);
    else if (last === END) parts.push(`at least ${first}`);
    else parts.push(`${first} to ${last}`);
  }
  return parts.join(' or ');
}

/** A condition in words, a text for each constraint: `rdx & 0x200 is 512`. Parameters are named by their registers. */
export function conditionText(condition: readonly SummaryConstraint[]): string[] {
  return condition.map(({ parameter, cell, mask, ranges }) => {
    const subject = parameter === undefined ? `${cell}` : registerName(parameter);
    const masked = mask === undefined ? subject : `${subject} & 0x${mask.toString(16)}`;
    return `${masked} is ${rangesText(ranges)}`;
  });
}
