import { type ChainStep, type ChainVia, printable } from '@prof-gen/core';
import {
  type ExportedSymbol,
  type FileDetail,
  type InitialReason,
  initialReasons,
  nodeKinds,
} from '../summary/file-summary.js';
import type { LinkInput } from './bind-symbols.js';
import { conditionText } from './condition-text.js';
import type { Reached } from './reach.js';

/** rt_sigreturn(2): only the function that signal handlers return to makes it. */
const RT_SIGRETURN = 15;

const initialTexts: Readonly<Record<InitialReason, string>> = {
  'init-or-fini': 'DT_INIT or DT_FINI',
  array: 'an init, fini or preinit array',
  resolver: 'an IFUNC resolver that the loader calls',
  'thread-data': 'initial data of each thread',
  'unreferenced-data': 'data that no reference in the file leads to',
  go: "Go's runtime may reach it",
  julia: "a function of Julia's system image",
};

const hex = (address: number): string => `0x${address.toString(16)}`;

function wayTo(reached: Reached): Reached[] {
  const way: Reached[] = [];
  for (let step: Reached | undefined = reached; step; step = step.from) way.push(step);
  return way.reverse();
}

function symbolText({ name, version }: ExportedSymbol): string {
  return printable(version === undefined ? name : `${name}@${version}`);
}

/** What a step of its own way says besides its function. */
function facts(input: LinkInput, step: Reached, detail: FileDetail | undefined): Partial<ChainStep> {
  const linked = input.objects[step.object];
  const symbol = step.symbol === undefined ? {} : { symbol: symbolText(step.symbol) };
  switch (step.via) {
    case 'init': {
      const index = linked?.summary.initial.indexOf(step.node) ?? -1;
      const reason = initialReasons[detail?.initial[index] ?? -1];
      return reason === undefined ? {} : { because: initialTexts[reason] };
    }
    case 'export': {
      const reason = linked?.object.reason;
      return reason === undefined ? symbol : { ...symbol, because: reason };
    }
    case 'address': {
      const sites = linked?.summary.sites ?? [];
      const restores = sites.some(({ node, number }) => node === step.node && number === RT_SIGRETURN);
      return restores ? { because: 'the return of signal handlers' } : {};
    }
    default:
      return symbol;
  }
}

/**
 * A way as its steps, by name. Two kinds of node are no steps of their own and pass what led to them on: a GOT
 * entry, and a function "entered with unknown arguments" before the function itself.
 * @param details by position in the input's objects; the input's summaries are their graphs
 */
export function chainOf(
  input: LinkInput,
  reached: Reached,
  details: ReadonlyMap<number, FileDetail>,
): ChainStep[] {
  const steps: ChainStep[] = [];
  let passed: Reached | undefined;
  let reference: ChainStep['reference'];
  let when: string[] = [];
  for (const step of wayTo(reached)) {
    const detail = details.get(step.object);
    const kind = nodeKinds[detail?.kinds[step.node] ?? 0] ?? 'function';
    const { via: last, from: before, condition } = step;
    const conditions = input.objects[before?.object ?? -1]?.summary.conditions;
    when.push(...conditionText(conditions?.[condition ?? 0] ?? []));
    if (step !== reached && kind === 'got' && step.from !== undefined) {
      reference = last === 'call' || last === 'jump' || last === 'address' ? last : 'pointer';
      continue;
    }
    if (step !== reached && kind === 'unknown-arguments') {
      passed = { ...step, ...(passed && { via: passed.via }) };
      continue;
    }
    const said = passed !== undefined && last === 'self' ? passed : step;
    const bound = said.via === 'import' || said.via === 'resolver';
    // Through a GOT entry that the loader fills with an address of the same file.
    const via = said.via === 'self' ? 'call' : reference && said.via === 'pointer' ? reference : said.via;
    const address = detail?.addresses[step.node];
    const from = steps.at(-1);
    steps.push({
      object: input.objects[step.object]?.object.path ?? '',
      function: printable(detail?.names[step.node] ?? step.symbol?.name ?? `node ${step.node}`),
      kind: kind === 'data' || kind === 'got' ? 'data' : 'function',
      ...(address === undefined ? {} : { address: hex(address) }),
      via,
      ...(bound ? { reference: reference ?? (from?.kind === 'data' ? 'pointer' : 'call') } : {}),
      ...facts(input, said === step ? step : { ...said, node: step.node }, detail),
      ...(when.length === 0 ? {} : { when: printable(when.join(' and ')) }),
    });
    when = [];
    passed = undefined;
    reference = undefined;
  }
  return steps;
}

const doors: ReadonlySet<string> = new Set<ChainVia>([
  'entry',
  'init',
  'export',
  'assumed',
  'import',
  'lookup',
]);
const unnamedDoors: Partial<Record<Reached['via'], string>> = {
  entry: 'entry point',
  init: 'initialisation',
  assumed: 'assumed reached',
};

/** The steps of a way that enter an object: all that a summary alone has names for. */
export function doorsOf(input: LinkInput, reached: Reached): ChainStep[] {
  return wayTo(reached).flatMap((step): ChainStep[] => {
    const { via } = step;
    // Bound to a definition of its own file, a symbol is no door.
    if (!doors.has(via) || via === 'self' || (step.from?.object === step.object && via === 'import'))
      return [];
    return [
      {
        object: input.objects[step.object]?.object.path ?? '',
        function: printable(step.symbol?.name ?? unnamedDoors[via] ?? ''),
        kind: step.symbol?.kind ?? 'function',
        via,
        ...facts(input, step, undefined),
      },
    ];
  });
}
