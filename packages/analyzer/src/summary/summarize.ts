import { selfTest } from '../decode/decoder.js';
import type { Elf } from '../elf/elf.js';
import { parseElf } from '../elf/parse-elf.js';
import { type Components, components, reaching } from './condense.js';
import { type FileGraph, fileGraph } from './file-graph.js';
import { analyzerVersion, type FileSummary, type NodeNames } from './file-summary.js';

/** A file's summary and the names of its nodes. */
export interface Summarized {
  readonly summary: FileSummary;
  readonly names: NodeNames;
}

/**
 * Summary of one ELF file: what it can reach, whoever loads it.
 * @throws ProfGenError as `parseElf`, and `elf/too-complex`, `environment/decoder`
 */
export function summarize(bytes: Uint8Array): FileSummary {
  return summarizeWithNames(bytes).summary;
}

export function summarizeWithNames(bytes: Uint8Array): Summarized {
  selfTest();
  const elf = parseElf(bytes);
  const graph = fileGraph(elf);
  const marked = new Set<number>();
  graph.importEdges.forEach((out, node) => {
    if (out.length > 0) marked.add(node);
  });
  for (const list of [graph.sites, graph.undecided, graph.numberedCalls, graph.lateNames, graph.lookups]) {
    for (const { node } of list) marked.add(node);
  }
  return assemble(elf, graph, components(graph.edges, reaching(graph.edges, marked)));
}

/** The same file with every node kept and nothing joined: what a summary must be equal to when linked. */
export function summarizeWhole(bytes: Uint8Array): Summarized {
  selfTest();
  const elf = parseElf(bytes);
  const graph = fileGraph(elf);
  return assemble(elf, graph, { count: graph.nodes, of: Int32Array.from(graph.edges, (_, node) => node) });
}

function assemble(elf: Elf, graph: FileGraph, { count, of }: Components): Summarized {
  const edges: Map<number, number>[] = Array.from({ length: count }, () => new Map<number, number>());
  const imports: Set<number>[] = Array.from({ length: count }, () => new Set());
  const names: string[] = new Array<string>(count).fill('');
  for (let node = 0; node < graph.nodes; node++) {
    const from = of[node] ?? -1;
    if (from < 0) continue;
    if (names[from] === '') names[from] = graph.names[node] ?? '';
    const out = graph.edges[node] ?? [];
    for (let i = 0; i < out.length; i += 2) {
      const to = of[out[i] ?? 0] ?? -1;
      const kind = out[i + 1] ?? 0;
      if (to < 0 || to === from) continue;
      const known = edges[from]?.get(to);
      if (known === undefined || kind < known) edges[from]?.set(to, kind);
    }
    for (const symbol of graph.importEdges[node] ?? []) imports[from]?.add(symbol);
  }
  const columns = (rows: readonly (readonly number[])[]): { start: Uint32Array; of: Uint32Array } => {
    const start = new Uint32Array(rows.length + 1);
    rows.forEach((row, i) => {
      start[i + 1] = (start[i] ?? 0) + row.length;
    });
    return { start, of: Uint32Array.from(rows.flat()) };
  };
  const sortedEdges = edges.map((out) => [...out].sort((a, b) => a[0] - b[0]));
  const edgeColumns = columns(sortedEdges.map((out) => out.map(([to]) => to)));
  const importColumns = columns(imports.map((set) => [...set].sort((a, b) => a - b)));
  const moved = <T extends { readonly node: number }>(list: readonly T[]): T[] =>
    list.map((item) => ({ ...item, node: of[item.node] ?? -1 }));
  const uses = <T extends { readonly node: number; readonly name: string }>(list: readonly T[]): T[] => {
    const seen = new Map(moved(list).map((use) => [`${use.node} ${use.name}`, use]));
    return [...seen.values()].sort((a, b) => a.node - b.node || (a.name < b.name ? -1 : 1));
  };
  const byNode = <T extends { readonly node: number; readonly address: number }>(list: readonly T[]): T[] =>
    moved(list).sort((a, b) => a.node - b.node || a.address - b.address);
  const summary: FileSummary = {
    analyzerVersion,
    type: elf.type,
    pie: elf.pie,
    static: elf.static,
    ...(elf.interpreter === undefined ? {} : { interpreter: elf.interpreter }),
    ...(elf.soname === undefined ? {} : { soname: elf.soname }),
    needed: elf.needed,
    rpath: elf.rpath,
    runpath: elf.runpath,
    flags: elf.flags,
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
    edgeStart: edgeColumns.start,
    edgeTo: edgeColumns.of,
    edgeKind: Uint8Array.from(sortedEdges.flatMap((out) => out.map(([, kind]) => kind))),
    importStart: importColumns.start,
    importOf: importColumns.of,
    sites: byNode(graph.sites),
    undecided: byNode(graph.undecided),
    numberedCalls: byNode(graph.numberedCalls),
    lateNames: uses(graph.lateNames),
    lookups: uses(graph.lookups),
    entry: graph.entry < 0 ? -1 : (of[graph.entry] ?? -1),
    initial: [...new Set(graph.initial.map((node) => of[node] ?? -1))]
      .filter((node) => node >= 0)
      .sort((a, b) => a - b),
    health: graph.health,
  };
  return { summary, names: { analyzerVersion, names } };
}
