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
import { type LinkInput, SymbolBinder } from './bind-symbols.js';
import { rootsOf } from './roots.js';

/** A step of the walk: a node of one of the objects and how it was first reached. */
export interface Reached {
  readonly object: number;
  readonly node: number;
  readonly from: Reached | undefined;
  readonly via: ChainVia | EdgeKind;
  /** The definition that `import`, `lookup` and `export` lead to. */
  readonly symbol: ExportedSymbol | undefined;
  /** What must hold where it is reached from: index into the `conditions` of that object's summary; 0 for nothing. */
  readonly condition: number;
}

export interface ReachVisitor {
  site(reached: Reached, site: CallSite): void;
  undecided(reached: Reached, site: UndecidedSite): void;
  lateName(reached: Reached, name: string): void;
}

/** What a node has besides its plain ways. */
interface AtNode {
  sites: readonly CallSite[];
  undecided: readonly UndecidedSite[];
  numberedCalls: readonly NumberedCall[];
  lateNames: readonly NameUse[];
  lookups: readonly NameUse[];
  guarded: readonly GuardedEdge[];
  stores: FileSummary['stores'];
}

const nothing: AtNode = {
  sites: [],
  undecided: [],
  numberedCalls: [],
  lateNames: [],
  lookups: [],
  guarded: [],
  stores: [],
};

const indexes = new WeakMap<FileSummary, readonly (AtNode | undefined)[]>();

/** By node: what it has, or undefined where that is nothing. */
function byNode(summary: FileSummary): readonly (AtNode | undefined)[] {
  const known = indexes.get(summary);
  if (known) return known;
  const index = new Array<AtNode | undefined>(summary.nodes).fill(undefined);
  const take = <Kind extends keyof AtNode>(kind: Kind, list: AtNode[Kind]): void => {
    for (const fact of list) {
      const facts = (index[fact.node] ??= { ...nothing });
      // The first makes the list: most nodes have facts of one kind, if any.
      if (facts[kind] === nothing[kind]) facts[kind] = [fact] as unknown as AtNode[Kind];
      else (facts[kind] as (typeof fact)[]).push(fact);
    }
  };
  take('sites', summary.sites);
  take('undecided', summary.undecided);
  take('numberedCalls', summary.numberedCalls);
  take('lateNames', summary.lateNames);
  take('lookups', summary.lookups);
  take('guarded', summary.guarded);
  take('stores', summary.stores);
  indexes.set(summary, index);
  return index;
}

const RDI = 7;

const nobody: ReachVisitor = { site() {}, undecided() {}, lateName() {} };

/**
 * Walks as `ReachWalk`, with each node visited by a shortest of all ways: those that opened only after others had been walked
 * count as well. It takes two walks, the second with all that the first has found out.
 */
export function reachShortest(input: LinkInput, visitor: ReachVisitor): void {
  const guards = new GuardState(input);
  new ReachWalk(input, nobody, guards).run();
  new ReachWalk(input, visitor, guards).run();
}

/**
 * Walks everything that a program and its objects may execute, breadth first from its real beginnings:
 * the program's and the interpreter's entry, what the loader runs in every object, and all that objects
 * loaded later export. Each node is visited once, by a shortest way at that time; its guarded ways are looked at
 * again whenever it may be given more, or a cell that they depend on may hold more.
 *
 * The walk goes on when late objects have come to the end of the input's: all that is reached and known only ever
 * grows, so that the end is that of a walk which had them from the start. Ways to a node may be other ones.
 */
export class ReachWalk {
  readonly #binder: SymbolBinder;
  /** By object and node: how it was reached. */
  readonly #reached: (Reached | undefined)[][] = [];
  /** By object: `byNode` of its summary. */
  readonly #facts: (readonly (AtNode | undefined)[])[] = [];
  readonly #queue: Reached[] = [];
  #next = 0;
  readonly #again = new Set<Reached>();
  /** Sites that were told already, by where they are. */
  readonly #told = new Set<object>();
  /** Names that reached nodes may give to dlsym, and the first that may: new objects may define them. */
  readonly #lookups = new Map<string, Reached>();
  /** What is asked of objects opened later, once one of these functions is called. */
  #asked: { readonly object: number; readonly symbol: ExportedSymbol; readonly by: readonly string[] }[] = [];

  constructor(
    private readonly input: LinkInput,
    private readonly visitor: ReachVisitor,
    private readonly guards: GuardState,
  ) {
    this.#binder = new SymbolBinder(input);
  }

  /** Names of the imported symbols that reached nodes refer to. */
  get imported(): ReadonlySet<string> {
    return this.#binder.names;
  }

  /** Walks what is new: at first everything, later what the objects lead to that have come since. */
  run(): void {
    const first = this.#reached.length;
    const { objects } = this.input;
    for (const { summary } of objects.slice(first)) {
      this.#reached.push(new Array<Reached | undefined>(summary.nodes).fill(undefined));
      this.#facts.push(byNode(summary));
    }
    if (first > 0) this.#takeIn(first);
    for (const { object, node, via, symbol } of rootsOf(this.input, first)) {
      this.#visit(object, node, undefined, via, symbol);
    }
    for (const [object, { object: linked, summary }] of [...objects.entries()].slice(first)) {
      if (linked.role !== 'late') continue;
      for (const symbol of summary.exports) {
        const by = this.#askedOf(object, symbol.name);
        if (by) this.#asked.push({ object, symbol, by });
      }
    }
    for (;;) {
      for (; this.#next < this.#queue.length; this.#next++) {
        const here = this.#queue[this.#next];
        if (here) this.#leave(here);
      }
      if (this.#ask()) continue;
      const [here] = this.#again;
      if (!here) return;
      this.#again.delete(here);
      this.#leaveGuarded(here);
    }
  }

  /** What the new objects change for what is reached already. */
  #takeIn(first: number): void {
    this.#binder.extend();
    for (const { object, node } of this.guards.extend()) {
      const reached = this.#reached[object]?.[node];
      if (reached) this.#again.add(reached);
    }
    for (const [name, here] of this.#lookups) this.#lookUp(here, name, first);
    // References of late objects may be bound to any late object.
    for (const [object, nodes] of this.#reached.entries()) {
      const role = this.input.objects[object]?.object.role;
      if (object >= first || (role !== 'late' && role !== 'late-needed')) continue;
      for (const reached of nodes) if (reached) this.#leave(reached);
    }
  }

  #visit(
    object: number,
    node: number,
    from: Reached | undefined,
    via: ChainVia | EdgeKind,
    symbol?: ExportedSymbol,
    given: Given = unknownArguments,
    condition = 0,
  ): void {
    const known = this.#reached[object];
    if (node < 0 || !known) return;
    if (symbol) this.#store(object, node, symbol.name);
    const learns = this.guards.receive(object, node, given);
    const before = known[node];
    if (before !== undefined) {
      if (learns) this.#again.add(before);
      return;
    }
    const reached: Reached = { object, node, from, via, symbol, condition };
    known[node] = reached;
    this.#queue.push(reached);
  }

  /** What a function does to cells for whoever calls it by this name. */
  #store(object: number, node: number, name: string): void {
    const summary = this.input.objects[object]?.summary;
    if (!summary || summary.stores.length === 0) return;
    for (const { symbol, cell } of this.#facts[object]?.[node]?.stores ?? []) {
      if (symbol !== name) continue;
      for (const asker of this.guards.store(object, cell)) {
        const reached = this.#reached[asker.object]?.[asker.node];
        if (reached) this.#again.add(reached);
      }
    }
  }

  /** All ways out of a node. */
  #leave(here: Reached): void {
    const { objects } = this.input;
    const summary = objects[here.object]?.summary;
    if (!summary) return;
    const facts = this.#facts[here.object]?.[here.node];
    for (let i = summary.edgeStart[here.node] ?? 0; i < (summary.edgeStart[here.node + 1] ?? 0); i++) {
      const via = edgeKinds[summary.edgeKind[i] ?? 0] ?? 'call';
      this.#visit(here.object, summary.edgeTo[i] ?? -1, here, via);
    }
    for (let i = summary.importStart[here.node] ?? 0; i < (summary.importStart[here.node + 1] ?? 0); i++) {
      this.#import(here, summary.importOf[i] ?? 0);
    }
    if (!facts) return;
    for (const { name } of facts.lateNames) this.visitor.lateName(here, name);
    for (const { name } of facts.lookups) {
      if (this.#lookups.has(name)) continue;
      this.#lookups.set(name, here);
      this.#lookUp(here, name, 0);
    }
    for (const call of facts.numberedCalls) {
      for (const { object, symbol } of this.#binder.bind(here.object, call.import)) {
        if (symbol.wrapper?.register === RDI && call.numbers.length > 0) {
          if (!this.#told.has(call)) {
            for (const number of call.numbers) this.visitor.site(here, { ...call, number });
            this.#told.add(call);
          }
          this.#visit(object, symbol.wrapper.node, here, 'import', symbol);
        } else this.#visit(object, symbol.node, here, 'import', symbol);
      }
    }
    this.#leaveGuarded(here);
  }

  /** What objects from position `first` on define under a name that is given to dlsym. */
  #lookUp(here: Reached, name: string, first: number): void {
    for (const { object, symbol } of this.#binder.named(name)) {
      if (object < first || this.#askedOf(object, name) !== undefined) continue;
      this.#visit(object, symbol.node, here, 'lookup', symbol);
    }
  }

  /** The functions that lead to a name being asked of an object opened later; undefined where it is not known. */
  #askedOf(object: number, name: string): readonly string[] | undefined {
    const { asked } = this.input.objects[object] ?? {};
    return asked !== undefined && Object.hasOwn(asked, name) ? asked[name] : undefined;
  }

  /** Visits what is asked of objects opened later by now. @returns whether anything was new */
  #ask(): boolean {
    const before = this.#queue.length;
    this.#asked = this.#asked.filter(({ object, symbol, by }) => {
      if (!by.some((name) => this.#isCalled(name))) return true;
      this.#visit(object, symbol.node, undefined, 'export', symbol);
      return false;
    });
    return this.#queue.length > before;
  }

  /** Whether reachable code of another object refers to a function, or has its name for dlsym. */
  #isCalled(name: string): boolean {
    return this.#binder.names.has(name) || this.#lookups.has(name);
  }

  #import(here: Reached, wanted: number, condition = 0, given?: Given): void {
    for (const { object, symbol } of this.#binder.bind(here.object, wanted)) {
      this.#visit(object, symbol.node, here, 'import', symbol, given, condition);
    }
  }

  /** The ways and sites whose conditions may hold by now. */
  #leaveGuarded(here: Reached): void {
    const facts = this.#facts[here.object]?.[here.node];
    if (!facts) return;
    const isNew = (site: CallSite | UndecidedSite): boolean => {
      if (this.#told.has(site) || !this.#mayHold(here, site.condition)) return false;
      this.#told.add(site);
      return true;
    };
    for (const site of facts.sites) if (isNew(site)) this.visitor.site(here, site);
    for (const site of facts.undecided) {
      if (isNew(site)) this.visitor.undecided(here, site);
    }
    for (const edge of facts.guarded) {
      if (!this.#mayHold(here, edge.condition)) continue;
      const { condition } = edge;
      const given = this.guards.given(here.object, here.node, condition, edge.arguments);
      if (edge.isImport) {
        this.#import(here, edge.to, condition, given);
        continue;
      }
      const via = edgeKinds[edge.kind] ?? 'call';
      this.#visit(here.object, edge.to, here, via, undefined, given, condition);
    }
  }

  #mayHold({ object, node }: Reached, condition: number | undefined): boolean {
    return condition === undefined || this.guards.mayHold(object, node, condition);
  }
}
