import { compareStrings } from '@prof-gen/core/base';
import { selfTest } from '../decode/decoder.js';
import type { Elf } from '../elf/elf.js';
import { parseElf } from '../elf/parse-elf.js';
import { type Components, components, reaching } from './condense.js';
import type { EdgeRows } from './edge-list.js';
import { type Condensed, joinSameReach } from './same-reach.js';
import { type FileGraph, fileGraph } from './file-graph.js';
import type { GuardedEdge } from './guard-tables.js';
import { analyzerVersion, type FileDetail, type FileSummary, initialReasons } from './file-summary.js';

/** A file's summary and what explanations need besides. */
export interface Summarized {
  readonly summary: FileSummary;
  readonly detail: FileDetail;
}

/**
 * Summary of one ELF file: what it can reach, whoever loads it.
 * @param debugData of the file, as `debugDataOf` gives it
 * @throws ProfGenError as `parseElf`, and `elf/too-complex`, `environment/decoder`
 */
export function summarize(bytes: Uint8Array, debugData?: Uint8Array): FileSummary {
  const { elf, graph, keep } = read(bytes, debugData);
  return assemble(elf, graph, condensed(graph, keep));
}

/** Summary and detail, of one reading. */
export function summarizeWithDetail(bytes: Uint8Array, debugData?: Uint8Array): Summarized {
  const { elf, graph, keep } = read(bytes, debugData);
  return {
    summary: assemble(elf, graph, condensed(graph, keep)),
    detail: detailOf(elf, graph, keep),
  };
}

/** The same file with every node kept and nothing joined: what a summary must be equal to when linked. */
export function summarizeWhole(bytes: Uint8Array): FileSummary {
  const { elf, graph } = read(bytes);
  return assemble(elf, graph, withEdges(graph, alone(new Uint8Array(graph.nodes).fill(1))));
}

function read(bytes: Uint8Array, debugData?: Uint8Array): { elf: Elf; graph: FileGraph; keep: Uint8Array } {
  selfTest();
  const elf = parseElf(bytes, debugData);
  const graph = fileGraph(elf);
  const marked = new Set<number>();
  const { start } = graph.importEdges;
  for (let node = 0; node < graph.nodes; node++) {
    if (start[node] !== start[node + 1]) marked.add(node);
  }
  for (const list of [
    graph.sites,
    graph.undecided,
    graph.numberedCalls,
    graph.lateNames,
    graph.lookups,
    graph.stores,
    graph.guarded.filter(({ isImport }) => isImport),
  ]) {
    for (const { node } of list) marked.add(node);
  }
  return { elf, graph, keep: reaching(graph.everyEdge, graph.nodes, marked) };
}

/** Each kept node by itself. */
function alone(keep: Uint8Array): Components {
  let count = 0;
  const of = Int32Array.from(keep, (kept) => (kept === 0 ? -1 : count++));
  return { count, of };
}

function detailOf(elf: Elf, graph: FileGraph, keep: Uint8Array): FileDetail {
  const { count, of } = alone(keep);
  const kept = Array.from({ length: graph.nodes }, (_, node) => node).filter((node) => keep[node] !== 0);
  const reasons = new Map([...graph.initialReasons].map(([node, reason]) => [of[node], reason]));
  const summary = assemble(elf, graph, withEdges(graph, { count, of }));
  return {
    analyzerVersion,
    graph: summary,
    names: kept.map(graph.nameOf),
    addresses: kept.map(graph.addressOf),
    kinds: kept.map((node) => graph.kinds[node] ?? 0),
    initial: summary.initial.map((node) => initialReasons.indexOf(reasons.get(node) ?? 'unreferenced-data')),
  };
}

function withEdges(graph: FileGraph, { count, of }: Components): Condensed {
  const edges = joinRows(graph.edges, of, count, count, (node, from) => {
    const to = of[node] ?? -1;
    return to === from ? -1 : to;
  });
  const imports = joinRows(graph.importEdges, of, count, graph.imports.length, (symbol) => symbol);
  return { count, of, edges, imports };
}

/** The smallest graph that is worth its search: what reaches the same is one. */
function condensed(graph: FileGraph, keep: Uint8Array): Condensed {
  const joined = withEdges(graph, components(graph.edges, keep, graph.alone));
  const own = new Uint8Array(joined.count);
  const given = new Uint8Array(joined.count);
  const mark = (marks: Uint8Array, node: number): void => {
    const component = joined.of[node] ?? -1;
    if (component >= 0) marks[component] = 1;
  };
  graph.alone.forEach((one, node) => {
    if (one === 1) mark(own, node);
  });
  for (const list of ownFacts(graph)) for (const { node } of list) mark(own, node);
  for (const { node } of graph.parameters) {
    mark(own, node);
    mark(given, node);
  }
  return joinSameReach(joined, { own, given });
}

/** Lists of what nodes have besides edges. */
function ownFacts(graph: FileGraph): readonly (readonly { readonly node: number }[])[] {
  const { sites, undecided, numberedCalls, lateNames, lookups, stores, guarded } = graph;
  return [sites, undecided, numberedCalls, lateNames, lookups, stores, guarded];
}

function assemble(elf: Elf, graph: FileGraph, { count, of, edges, imports }: Condensed): FileSummary {
  const roles = new Uint8Array(count);
  for (let node = 0; node < graph.nodes; node++) {
    const component = of[node] ?? -1;
    if (component >= 0) roles[component] = (roles[component] ?? 0) | (graph.roles[node] ?? 0);
  }
  const moved = <T extends { readonly node: number }>(list: readonly T[]): T[] =>
    list.map((item) => ({ ...item, node: of[item.node] ?? -1 }));
  const uses = <T extends { readonly node: number; readonly name: string }>(list: readonly T[]): T[] => {
    const seen = new Map(moved(list).map((use) => [`${use.node} ${use.name}`, use]));
    return [...seen.values()].sort((a, b) => a.node - b.node || (a.name < b.name ? -1 : 1));
  };
  const guarded = guardedEdges(graph, of);
  const byNode = <T extends { readonly node: number; readonly address: number }>(list: readonly T[]): T[] =>
    moved(list).sort((a, b) => a.node - b.node || a.address - b.address);
  return {
    analyzerVersion,
    type: elf.type,
    pie: elf.pie,
    static: elf.static,
    ...(elf.interpreter === undefined ? {} : { interpreter: elf.interpreter }),
    ...(elf.soname === undefined ? {} : { soname: elf.soname }),
    needed: elf.needed,
    filters: elf.filters,
    auxiliaries: elf.auxiliaries,
    rpath: elf.rpath,
    runpath: elf.runpath,
    flags: elf.flags,
    announced: elf.announced,
    imports: graph.imports,
    exports: graph.exports.map((symbol) => {
      const { wrapper, ...rest } = symbol;
      return {
        ...rest,
        node: symbol.node < 0 ? -1 : (of[symbol.node] ?? -1),
        ...(wrapper ? { wrapper: { register: wrapper.register, node: of[wrapper.node] ?? -1 } } : {}),
      };
    }),
    nodes: count,
    roles,
    edgeStart: Uint32Array.from(edges.start),
    edgeTo: Uint32Array.from(edges.to),
    edgeKind: edges.kind,
    importStart: Uint32Array.from(imports.start),
    importOf: Uint32Array.from(imports.to),
    sites: byNode(graph.sites),
    undecided: byNode(graph.undecided),
    numberedCalls: byNode(graph.numberedCalls),
    lateNames: uses(graph.lateNames),
    lookups: uses(graph.lookups),
    entry: graph.entry < 0 ? -1 : (of[graph.entry] ?? -1),
    initial: [...new Set(graph.initial.map((node) => of[node] ?? -1))]
      .filter((node) => node >= 0)
      .sort((a, b) => a - b),
    guarded,
    conditions: graph.conditions,
    argumentLists: graph.argumentLists,
    parameters: moved(graph.parameters)
      .filter(({ node }) => node >= 0)
      .sort((a, b) => a.node - b.node),
    cells: graph.cells,
    stores: moved(graph.stores).sort(
      (a, b) => a.node - b.node || compareStrings(a.symbol, b.symbol) || compareStrings(a.cell, b.cell),
    ),
    health: graph.health,
  };
}

/** Guarded edges between components, each once. Inside one nothing is guarded, but for what a function hands itself. */
function guardedEdges(graph: FileGraph, of: Int32Array): GuardedEdge[] {
  const found = new Map<string, GuardedEdge>();
  for (const edge of graph.guarded) {
    const node = of[edge.node] ?? -1;
    const to = edge.isImport ? edge.to : (of[edge.to] ?? -1);
    if (node < 0 || to < 0) continue;
    if (!edge.isImport && node === to && graph.alone[edge.to] !== 1) continue;
    const moved = { ...edge, node, to };
    const key = `${node} ${to} ${edge.isImport} ${edge.condition} ${edge.arguments}`;
    const known = found.get(key);
    if (!known || known.kind > edge.kind) found.set(key, moved);
  }
  return [...found.values()].sort(
    (a, b) =>
      a.node - b.node ||
      Number(a.isImport) - Number(b.isImport) ||
      a.to - b.to ||
      a.condition - b.condition ||
      a.arguments - b.arguments,
  );
}

/** Kinds are one byte. */
const KINDS = 256;

/**
 * Edges between components: sorted, each target once with its lowest kind, none to the component itself.
 * @param targets how many things an edge can lead to
 * @param targetOf which of them it is, from a component; -1 leaves it out
 */
function joinRows(
  rows: EdgeRows,
  of: Int32Array,
  count: number,
  targets: number,
  targetOf: (to: number, from: number) => number,
): EdgeRows {
  // Source, target and kind as one number: sorting those needs no function to compare them.
  const keys = new Float64Array(rows.to.length);
  let kept = 0;
  for (let node = 0; node < of.length; node++) {
    const from = of[node] ?? -1;
    if (from < 0) continue;
    for (let i = rows.start[node] ?? 0; i < (rows.start[node + 1] ?? 0); i++) {
      const to = targetOf(rows.to[i] ?? 0, from);
      if (to >= 0) keys[kept++] = (from * targets + to) * KINDS + (rows.kind[i] ?? 0);
    }
  }
  const sorted = keys.subarray(0, kept).sort();
  const start = new Int32Array(count + 1);
  const to = new Int32Array(kept);
  const kind = new Uint8Array(kept);
  let distinct = 0;
  let last = -1;
  for (const key of sorted) {
    const edge = Math.floor(key / KINDS);
    if (edge === last) continue;
    last = edge;
    const after = Math.floor(edge / targets) + 1;
    start[after] = (start[after] ?? 0) + 1;
    to[distinct] = edge % targets;
    kind[distinct++] = key % KINDS;
  }
  for (let i = 0; i < count; i++) start[i + 1] = (start[i + 1] ?? 0) + (start[i] ?? 0);
  return { start, to: to.slice(0, distinct), kind: kind.slice(0, distinct) };
}
