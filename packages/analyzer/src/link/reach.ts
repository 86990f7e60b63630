import type { ChainVia } from '@prof-gen/core';
import {
  type CallSite,
  type EdgeKind,
  edgeKinds,
  type ExportedSymbol,
  type FileSummary,
  type NameUse,
  type NumberedCall,
  type UndecidedSite,
} from '../summary/file-summary.js';
import type { GuardedEdge } from '../summary/guard-tables.js';
import { type Given, GuardState, unknownArguments } from './guard-state.js';
import { type Definition, exportsByName, type LinkInput, symbolBinder } from './bind-symbols.js';
import { rootsOf } from './roots.js';

/** A step of the walk: a node of one of the objects and how it was first reached. */
export interface Reached {
  readonly object: number;
  readonly node: number;
  readonly from: Reached | undefined;
  readonly via: ChainVia | EdgeKind;
  /** The definition that `import`, `lookup` and `export` lead to. */
  readonly symbol?: ExportedSymbol;
  /** What must hold where it is reached from: index into the `conditions` of that object's summary. */
  readonly condition?: number;
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
  new Walk(input, visitor, new GuardState(input)).run();
}

const nobody: ReachVisitor = { site() {}, undecided() {}, lateName() {} };

/**
 * As `reach`, with each node visited by a shortest of all ways: those that opened only after others had been walked
 * count as well. It takes two walks, the second with all that the first has found out.
 */
export function reachShortest(input: LinkInput, visitor: ReachVisitor): void {
  const guards = new GuardState(input);
  new Walk(input, nobody, guards).run();
  new Walk(input, visitor, guards).run();
}

class Walk {
  readonly #bind: ReturnType<typeof symbolBinder>;
  /** By object and node: how it was reached. */
  readonly #reached: readonly (Reached | undefined)[][];
  readonly #queue: Reached[] = [];
  readonly #again = new Set<Reached>();
  /** Guarded sites that were told already. */
  readonly #told = new Set<object>();

  constructor(
    private readonly input: LinkInput,
    private readonly visitor: ReachVisitor,
    private readonly guards: GuardState,
  ) {
    this.#bind = symbolBinder(input);
    this.#reached = input.objects.map(() => []);
  }

  run(): void {
    for (const root of rootsOf(this.input)) this.#visit({ ...root, from: undefined });
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

  #visit(reached: Reached, given: Given = unknownArguments): void {
    const { object, node } = reached;
    const known = this.#reached[object];
    if (node < 0 || !known) return;
    const learns = this.guards.receive(object, node, given);
    const before = known[node];
    if (before) {
      if (learns) this.#again.add(before);
      return;
    }
    known[node] = reached;
    this.#queue.push(reached);
  }

  #enter(here: Reached, via: ChainVia, { object, symbol }: Definition): void {
    this.#visit({ object, node: symbol.node, from: here, via, symbol });
  }

  /** All ways out of a node. */
  #leave(here: Reached): void {
    const { objects } = this.input;
    const summary = objects[here.object]?.summary;
    if (!summary) return;
    const index = byNode(summary);
    for (const { cell, values } of index.stores.get(here.node) ?? []) {
      for (const asker of this.guards.store(here.object, cell, values)) {
        const reached = this.#reached[asker.object]?.[asker.node];
        if (reached) this.#again.add(reached);
      }
    }
    for (const { name } of index.lateNames.get(here.node) ?? []) this.visitor.lateName(here, name);
    for (let i = summary.edgeStart[here.node] ?? 0; i < (summary.edgeStart[here.node + 1] ?? 0); i++) {
      const via = edgeKinds[summary.edgeKind[i] ?? 0] ?? 'call';
      this.#visit({ object: here.object, node: summary.edgeTo[i] ?? -1, from: here, via });
    }
    for (let i = summary.importStart[here.node] ?? 0; i < (summary.importStart[here.node + 1] ?? 0); i++) {
      this.#import(here, summary.importOf[i] ?? 0);
    }
    for (const { name } of index.lookups.get(here.node) ?? []) {
      objects.forEach((other, position) => {
        for (const symbol of exportsByName(other.summary).get(name) ?? [])
          this.#enter(here, 'lookup', { object: position, symbol });
      });
    }
    for (const call of index.numberedCalls.get(here.node) ?? []) {
      for (const { object, symbol } of this.#bind(here.object, call.import)) {
        if (symbol.wrapper?.register === RDI && call.numbers.length > 0) {
          for (const number of call.numbers) this.visitor.site(here, { ...call, number });
          this.#visit({ object, node: symbol.wrapper.node, from: here, via: 'import', symbol });
        } else this.#enter(here, 'import', { object, symbol });
      }
    }
    this.#leaveGuarded(here);
  }

  #import(here: Reached, wanted: number, condition = 0, given?: Given): void {
    for (const { object, symbol } of this.#bind(here.object, wanted)) {
      const reached = { object, node: symbol.node, from: here, via: 'import' as const, symbol };
      this.#visit(condition === 0 ? reached : { ...reached, condition }, given);
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
      const { condition } = edge;
      const given = this.guards.given(here.object, here.node, condition, edge.arguments);
      if (edge.isImport) {
        this.#import(here, edge.to, condition, given);
        continue;
      }
      const via = edgeKinds[edge.kind] ?? 'call';
      const reached = { object: here.object, node: edge.to, from: here, via };
      this.#visit(condition === 0 ? reached : { ...reached, condition }, given);
    }
  }

  #mayHold({ object, node }: Reached, condition: number | undefined): boolean {
    return condition === undefined || this.guards.mayHold(object, node, condition);
  }
}
