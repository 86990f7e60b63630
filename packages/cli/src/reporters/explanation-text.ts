import { posix } from 'node:path';
import type { Chain, ChainStep, Explanation, KnownArgument } from '@prof-gen/core';

/** How a step is reached, in words that fit before what is reached. */
function how({ via, reference }: ChainStep): string {
  switch (via) {
    case 'entry':
      return 'starts at';
    case 'init':
      return 'loader runs';
    case 'export':
      return 'exports';
    case 'assumed':
      return 'assumed';
    case 'import':
    case 'resolver':
      return words[reference ?? 'call'];
    default:
      return words[via];
  }
}

const words = {
  call: 'calls',
  jump: 'jumps to',
  address: 'takes address of',
  data: 'refers to',
  pointer: 'points to',
  lookup: 'looks up',
} as const;

/** A place as `libc.so.6+0x1234`. */
const place = (object: string, address: string | undefined): string =>
  `${posix.basename(object)}${address === undefined ? '' : `+${address}`}`;

function remarks({ via, symbol, because, when, kind }: ChainStep): string {
  const parts = [
    ...(kind === 'data' ? ['data'] : []),
    ...(via === 'import' && symbol !== undefined ? [`bound to ${symbol}`] : []),
    ...(via === 'resolver' ? ['as IFUNC resolver'] : []),
    ...(because === undefined ? [] : [because]),
    ...(when === undefined ? [] : [`if ${when}`]),
  ];
  return parts.join('; ');
}

/** As `args[1] 0x5401; args[2] 0 or 1`. */
function argumentText(known: readonly KnownArgument[]): string {
  return known.map(({ index, values }) => `args[${index}] ${values.map(numberText).join(' or ')}`).join('; ');
}

const numberText = (value: number): string => (value < 10 ? `${value}` : `0x${value.toString(16)}`);

/** Lines of one way: how, what, where, and remarks. */
function chainLines({ steps, site }: Chain): string[] {
  const rows = steps.map((step) => [
    how(step),
    step.function.startsWith('+0x') ? '' : step.function,
    place(step.object, step.address),
    remarks(step),
  ]);
  rows.push(['makes it at', '', place(site.object, site.address), argumentText(site.arguments ?? [])]);
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}\n`).join('');

/** An explanation for reading: for each call the programs that can make it, each with its ways. */
export function explanationText(explanation: Explanation): string {
  const { calls, unresolved, programs } = explanation;
  const sections = calls.map(({ name, number, programs: able, others }) => {
    const count =
      able.length === 0 ? 'no program can reach it' : `${able.length} of ${programs.length} programs`;
    const head = `${name} (${number}): ${[count, ...others].join('; ')}\n`;
    const bodies = able.map(
      ({ program, chains }) =>
        `\n  ${program}\n${chains.map((chain) => indented(chainLines(chain))).join('\n')}`,
    );
    return [head, ...bodies].join('');
  });
  if (unresolved !== undefined) {
    sections.push(
      unresolved.length === 0 ? 'no reachable call site is unresolved\n' : 'unresolved call sites\n',
      ...unresolved.flatMap(({ program, sites }) =>
        sites.map((site) => `  ${program}: ${site.reason}\n${indented(chainLines(site))}`),
      ),
    );
  }
  return sections.join('\n');
}

/** A line for each call: its shortest way, and how many programs can make it. */
export function explanationLines({ calls, programs }: Explanation): string {
  const width = Math.max(...calls.map(({ name }) => name.length), 0);
  return calls
    .map(({ name, programs: able }) => {
      const ways = able.flatMap(({ program, chains }) => chains.map((chain) => ({ program, chain })));
      const [nearest] = ways.sort((a, b) => a.chain.steps.length - b.chain.steps.length);
      if (nearest === undefined) return '';
      const { program, chain } = nearest;
      return `${name.padEnd(width)}  ${able.length}/${programs.length} ${posix.basename(program)}: ${chainLine(chain)}\n`;
    })
    .join('');
}

const arrows: Partial<Record<string, string>> = { address: '~>', data: '~>', pointer: '~>', lookup: '~>' };

/** `main > getaddrinfo (libc.so.6) > … at +0x1234`; `~>` leads through a pointer, data or a name. */
export function chainLine({ steps, site }: Chain): string {
  let object = '';
  const parts = steps.map((step, i) => {
    const where = step.object === object ? '' : ` (${posix.basename(step.object)})`;
    object = step.object;
    const arrow = arrows[step.via === 'import' ? (step.reference ?? '') : step.via] ?? '>';
    return `${i === 0 ? '' : ` ${arrow} `}${step.function}${where}`;
  });
  return `${parts.join('')} at +${site.address}`;
}
