import type { ChainStep } from '@prof-gen/core';
import {
  type CallSite,
  edgeKinds,
  type FileSummary,
  type NameUse,
  type NumberedCall,
  type UndecidedSite,
} from '../summary/file-summary.js';
import type { GuardedEdge } from '../summary/guard-tables.js';
import { type Given, GuardState, unknownArguments } from './guard-state.js';
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
  readonly guarded: ReadonlyMap<number, readonly GuardedEdge[]>;
  readonly stores: ReadonlyMap<number, FileSummary['stores']>;
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
    guarded: group(summary.guarded),
    stores: group(summary.stores),
  };
  indexes.set(summary, index);
  return index;
}

const RDI = 7;

/**
 * Walks everything that a program and its objects may execute, breadth first from its real beginnings:
 * the program's and the interpreter's entry, what the loader runs in every object, and all that objects
 * loaded later export. Each node is visited once, by a shortest way at that time; its guarded ways are looked at
 * again whenever it may be given more, or a cell that they depend on may hold more.
 */
export function reach(input: LinkInput, visitor: ReachVisitor): void {
  new Walk(input, visitor).run();
}

class Walk {
  readonly #bind: ReturnType<typeof symbolBinder>;
  readonly #guards: GuardState;
  /** By object and node: how it was reached. */
  readonly #reached: readonly (Reached | undefined)[][];
  readonly #queue: Reached[] = [];
  readonly #again = new Set<Reached>();
  /** Guarded sites that were told already. */
  readonly #told = new Set<object>();

  constructor(
    private readonly input: LinkInput,
    private readonly visitor: ReachVisitor,
  ) {
    this.#bind = symbolBinder(input);
    this.#guards = new GuardState(input);
    this.#reached = input.objects.map(() => []);
  }

  run(): void {
    const { objects } = this.input;
    objects.forEach(({ object, summary }, position) => {
      if (object.role === 'program' || object.role === 'interpreter')
        this.#visit(position, summary.entry, undefined, 'entry');
    });
    objects.forEach(({ object, summary }, position) => {
      for (const node of summary.initial) this.#visit(position, node, undefined, 'init');
      if (object.role !== 'late') return;
      for (const symbol of summary.exports) this.#visit(position, symbol.node, undefined, 'export');
    });
    let next = 0;
    for (;;) {
      for (; next < this.#queue.length; next++) {
        const here = this.#queue[next];
        if (here) this.#leave(here);
      }
      const [here] = this.#again;
      if (!here) return;
      this.#again.delete(here);
      this.#leaveGuarded(here);
    }
  }

  #visit(
    object: number,
    node: number,
    from: Reached | undefined,
    via: Via,
    given: Given = unknownArguments,
  ): void {
    const known = this.#reached[object];
    if (node < 0 || !known) return;
    const learns = this.#guards.receive(object, node, given);
    const before = known[node];
    if (before) {
      if (learns) this.#again.add(before);
      return;
    }
    const reached = { object, node, from, via };
    known[node] = reached;
    this.#queue.push(reached);
  }

  /** All ways out of a node. */
  #leave(here: Reached): void {
    const { objects } = this.input;
    const summary = objects[here.object]?.summary;
    if (!summary) return;
    const index = byNode(summary);
    for (const { cell, values } of index.stores.get(here.node) ?? []) {
      for (const asker of this.#guards.store(here.object, cell, values)) {
        const reached = this.#reached[asker.object]?.[asker.node];
        if (reached) this.#again.add(reached);
      }
    }
    for (const { name } of index.lateNames.get(here.node) ?? []) this.visitor.lateName(here, name);
    for (let i = summary.edgeStart[here.node] ?? 0; i < (summary.edgeStart[here.node + 1] ?? 0); i++) {
      this.#visit(here.object, summary.edgeTo[i] ?? -1, here, edgeKinds[summary.edgeKind[i] ?? 0] ?? 'call');
    }
    for (let i = summary.importStart[here.node] ?? 0; i < (summary.importStart[here.node + 1] ?? 0); i++) {
      this.#import(here, summary.importOf[i] ?? 0);
    }
    for (const { name } of index.lookups.get(here.node) ?? []) {
      objects.forEach((other, position) => {
        for (const symbol of exportsByName(other.summary).get(name) ?? [])
          this.#visit(position, symbol.node, here, 'import');
      });
    }
    for (const call of index.numberedCalls.get(here.node) ?? []) {
      for (const { object, symbol } of this.#bind(here.object, call.import)) {
        if (symbol.wrapper?.register === RDI && call.numbers.length > 0) {
          for (const number of call.numbers) this.visitor.site(here, { ...call, number });
          this.#visit(object, symbol.wrapper.node, here, 'import');
        } else this.#visit(object, symbol.node, here, 'import');
      }
    }
    this.#leaveGuarded(here);
  }

  #import(here: Reached, symbol: number, given?: Given): void {
    for (const definition of this.#bind(here.object, symbol)) {
      this.#visit(definition.object, definition.symbol.node, here, 'import', given);
    }
  }

  /** The ways and sites whose conditions may hold by now. */
  #leaveGuarded(here: Reached): void {
    const summary = this.input.objects[here.object]?.summary;
    if (!summary) return;
    const index = byNode(summary);
    const isNew = (site: CallSite | UndecidedSite): boolean => {
      if (this.#told.has(site) || !this.#mayHold(here, site.condition)) return false;
      this.#told.add(site);
      return true;
    };
    for (const site of index.sites.get(here.node) ?? []) if (isNew(site)) this.visitor.site(here, site);
    for (const site of index.undecided.get(here.node) ?? []) {
      if (isNew(site)) this.visitor.undecided(here, site);
    }
    for (const edge of index.guarded.get(here.node) ?? []) {
      if (!this.#mayHold(here, edge.condition)) continue;
      const given = this.#guards.given(here.object, here.node, edge.condition, edge.arguments);
      if (edge.isImport) this.#import(here, edge.to, given);
      else this.#visit(here.object, edge.to, here, edgeKinds[edge.kind] ?? 'call', given);
    }
  }

  #mayHold({ object, node }: Reached, condition: number | undefined): boolean {
    return condition === undefined || this.#guards.mayHold(object, node, condition);
  }
}
