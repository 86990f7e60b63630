import type { ChainStep } from '@prof-gen/core';
import {
  type CallSite,
  edgeKinds,
  type FileSummary,
  type NameUse,
  type NumberedCall,
  type UndecidedSite,
} from '../summary/file-summary.js';
import { exportsByName, type LinkInput, symbolBinder } from './bind-symbols.js';

type Via = ChainStep['via'];

/** A step of the walk: a node of one of the objects and how it was first reached. */
export interface Reached {
  readonly object: number;
  readonly node: number;
  readonly from: Reached | undefined;
  readonly via: Via;
}

export interface ReachVisitor {
  site(reached: Reached, site: CallSite): void;
  undecided(reached: Reached, site: UndecidedSite): void;
  lateName(reached: Reached, name: string): void;
}

interface ByNode {
  readonly sites: ReadonlyMap<number, readonly CallSite[]>;
  readonly undecided: ReadonlyMap<number, readonly UndecidedSite[]>;
  readonly numberedCalls: ReadonlyMap<number, readonly NumberedCall[]>;
  readonly lateNames: ReadonlyMap<number, readonly NameUse[]>;
  readonly lookups: ReadonlyMap<number, readonly NameUse[]>;
}

const indexes = new WeakMap<FileSummary, ByNode>();

function byNode(summary: FileSummary): ByNode {
  const known = indexes.get(summary);
  if (known) return known;
  const group = <T extends { readonly node: number }>(list: readonly T[]): Map<number, T[]> => {
    const map = new Map<number, T[]>();
    for (const item of list) {
      const items = map.get(item.node);
      if (items) items.push(item);
      else map.set(item.node, [item]);
    }
    return map;
  };
  const index: ByNode = {
    sites: group(summary.sites),
    undecided: group(summary.undecided),
    numberedCalls: group(summary.numberedCalls),
    lateNames: group(summary.lateNames),
    lookups: group(summary.lookups),
  };
  indexes.set(summary, index);
  return index;
}

const RDI = 7;

/**
 * Walks everything that a program and its objects may execute, breadth first from its real beginnings:
 * the program's and the interpreter's entry, what the loader runs in every object, and all that objects
 * loaded later export. Each node is visited once, by a shortest way.
 */
export function reach(input: LinkInput, visitor: ReachVisitor): void {
  const { objects } = input;
  const bind = symbolBinder(input);
  const seen = objects.map(({ summary }) => new Uint8Array(summary.nodes));
  const queue: Reached[] = [];
  const visit = (object: number, node: number, from: Reached | undefined, via: Via): void => {
    const marks = seen[object];
    if (node < 0 || !marks || marks[node] !== 0) return;
    marks[node] = 1;
    queue.push({ object, node, from, via });
  };
  objects.forEach(({ object, summary }, position) => {
    if (object.role === 'program' || object.role === 'interpreter')
      visit(position, summary.entry, undefined, 'entry');
  });
  objects.forEach(({ object, summary }, position) => {
    for (const node of summary.initial) visit(position, node, undefined, 'init');
    if (object.role !== 'late') return;
    for (const symbol of summary.exports) visit(position, symbol.node, undefined, 'export');
  });
  for (let next = 0; next < queue.length; next++) {
    const here = queue[next];
    const linked = here && objects[here.object];
    if (!here || !linked) continue;
    const { summary } = linked;
    const index = byNode(summary);
    for (const site of index.sites.get(here.node) ?? []) visitor.site(here, site);
    for (const site of index.undecided.get(here.node) ?? []) visitor.undecided(here, site);
    for (const { name } of index.lateNames.get(here.node) ?? []) visitor.lateName(here, name);
    for (const call of index.numberedCalls.get(here.node) ?? []) {
      for (const { object, symbol } of bind(here.object, call.import)) {
        if (symbol.wrapper?.register === RDI && call.numbers.length > 0) {
          for (const number of call.numbers) visitor.site(here, { ...call, number });
          visit(object, symbol.wrapper.node, here, 'import');
        } else visit(object, symbol.node, here, 'import');
      }
    }
    for (let i = summary.edgeStart[here.node] ?? 0; i < (summary.edgeStart[here.node + 1] ?? 0); i++) {
      visit(here.object, summary.edgeTo[i] ?? -1, here, edgeKinds[summary.edgeKind[i] ?? 0] ?? 'call');
    }
    for (let i = summary.importStart[here.node] ?? 0; i < (summary.importStart[here.node + 1] ?? 0); i++) {
      for (const { object, symbol } of bind(here.object, summary.importOf[i] ?? 0)) {
        visit(object, symbol.node, here, 'import');
      }
    }
    for (const { name } of index.lookups.get(here.node) ?? []) {
      objects.forEach((other, position) => {
        for (const symbol of exportsByName(other.summary).get(name) ?? [])
          visit(position, symbol.node, here, 'import');
      });
    }
  }
}
