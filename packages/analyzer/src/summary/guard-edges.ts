import type { CodeMap } from '../function/code-map.js';
import type { FunctionTable } from '../function/discover-functions.js';
import { objectTypes, unionsOf } from '../function/glibc-objects.js';
import { type Arguments, GuardFinder } from '../function/guards.js';
import type { Memory } from '../function/interpret.js';
import { neverReturning } from '../function/no-return.js';
import type { ImageRange } from '../function/scan-function.js';
import { Terms } from '../function/term.js';
import { type Elf, fileOffset, segmentType } from '../elf/elf.js';
import type { EdgeList, EdgeRows } from './edge-list.js';
import type { CallSite, ExportedSymbol, GuardFacts } from './file-summary.js';
import { type GuardedEdge, GuardTables } from './guard-tables.js';
import { type CodeEdge, planGuards } from './plan-guards.js';

/** What guards one file's ways, and the rest of the edges in `edges`. */
export interface FileGuards extends GuardFacts {
  readonly alone: Uint8Array;
  /** All edges between nodes, guarded or not. */
  everyEdge(): EdgeRows;
  /** Index of the condition under which an instruction of a function is reached. */
  conditionAt(node: number, address: number): number;
}

export interface GuardEdgesInput {
  readonly elf: Elf;
  readonly code: CodeMap;
  readonly table: FunctionTable;
  readonly absolute: ImageRange | undefined;
  /** Edges that nothing can guard. What turns out to be unguarded is added. */
  readonly edges: EdgeList;
  readonly codeEdges: readonly CodeEdge[];
  readonly importCalls: readonly ImportCall[];
  readonly sites: readonly CallSite[];
  readonly nodes: number;
}

/** A call of an imported function with constant arguments. */
export interface ImportCall {
  readonly from: number;
  /** Index into `imports`. */
  readonly to: number;
  readonly kind: number;
  readonly address: number;
  readonly constants: ReadonlyMap<number, number>;
}

function importEdge(
  { from, to, kind, constants }: ImportCall,
  condition: number,
  tables: GuardTables,
): GuardedEdge {
  const given = new Map([...constants].map(([register, value]) => [register, [value]]));
  const list = tables.arguments(given, undefined);
  return { node: from, to, isImport: true, kind, condition, arguments: list };
}

/** For files that make no system calls: only what they hand to others is known. */
export function plainEdges({
  edges,
  importCalls,
  nodes,
}: Pick<GuardEdgesInput, 'edges' | 'importCalls' | 'nodes'>): FileGuards {
  const tables = new GuardTables();
  return {
    alone: new Uint8Array(nodes),
    everyEdge: () => edges.rows(nodes),
    guarded: importCalls.map((call) => importEdge(call, 0, tables)),
    conditions: tables.conditions,
    argumentLists: tables.argumentLists,
    parameters: [],
    cells: [],
    stores: [],
    conditionAt: () => 0,
  };
}

const nothing: Arguments = new Map();

/** Finds guards of a file's functions and parts its code edges into guarded and plain ones. */
export function guardEdges(input: GuardEdgesInput): FileGuards {
  const { elf, code, table, absolute, edges, codeEdges, importCalls, sites, nodes } = input;
  const terms = new Terms();
  const fields = new Map<number, Map<number, number>>();
  const finder = new GuardFinder(
    elf,
    code,
    table,
    absolute,
    neverReturning(table),
    terms,
    (owner) => memoryOf(elf, terms, fields.get(owner)),
    (owner) => fields.has(owner),
  );
  const typed = typedFunctions(elf, table, finder, fields, codeEdges);
  const all = edges.copy();
  for (const { from, to, kind } of codeEdges) all.add(from, to, kind);
  const plan = planGuards(finder, table.functions, all.rows(nodes), codeEdges, sites, typed);
  const tables = new GuardTables();
  const guarded: GuardedEdge[] = [];
  const alone = new Uint8Array(nodes);
  for (const owner of plan.parameters.keys()) alone[owner] = 1;
  for (const { from, to, kind, address, isCall } of codeEdges) {
    const guard = plan.of(from)?.at(address);
    const wanted = isCall ? plan.parameters.get(to) : undefined;
    const condition = guard ? tables.condition(guard.condition) : 0;
    const given = wanted ? tables.arguments(guard?.arguments ?? nothing, wanted) : 0;
    // A plain edge to itself says nothing, but here it says that any argument may come.
    const isPlain = condition === 0 && given === 0 && !(wanted && from === to);
    if (isPlain) edges.add(from, to, kind);
    else guarded.push({ node: from, to, isImport: false, kind, condition, arguments: given });
  }
  for (const call of importCalls) {
    const guard = plan.of(call.from)?.at(call.address);
    guarded.push(importEdge(call, guard ? tables.condition(guard.condition) : 0, tables));
  }
  return {
    alone,
    everyEdge: () => all.rows(nodes),
    guarded,
    conditionAt: (node, address) => {
      const guard = plan.of(node)?.at(address);
      return guard ? tables.condition(guard.condition) : 0;
    },
    conditions: tables.conditions,
    argumentLists: tables.argumentLists,
    parameters: [...plan.parameters].map(([node, registers]) => ({
      node,
      registers: [...registers].sort((a, b) => a - b),
    })),
    cells:
      fields.size === 0
        ? []
        : objectTypes
            .flatMap((type) => type.fields)
            .map(({ cell, bits }) => ({ cell, shared: true, values: unionsOf(bits) })),
    stores: [],
  };
}

/** Functions that make a shared cell hold more than it does at first. */
export function exportedWriters(
  exports: readonly ExportedSymbol[],
  { cells }: GuardFacts,
): GuardFacts['stores'][number][] {
  if (!cells.some(({ shared }) => shared)) return [];
  const writers = objectTypes.flatMap(({ fields }) => fields);
  return exports.flatMap(({ name, node }) =>
    node < 0
      ? []
      : writers
          .filter((field) => field.writers.includes(name))
          .map(({ cell }) => ({ node, symbol: name, cell })),
  );
}

/**
 * Functions with a parameter that points to an object of a known type: those exported by libc, and those that one
 * of them hands its own parameter to. A parameter has one type in C, whoever else calls the function.
 */
function typedFunctions(
  elf: Elf,
  table: FunctionTable,
  finder: GuardFinder,
  fields: Map<number, Map<number, number>>,
  codeEdges: readonly CodeEdge[],
): number[] {
  if (elf.soname !== 'libc.so.6' && elf.soname !== 'libpthread.so.0') return [];
  const queue: number[] = [];
  const learn = (owner: number, register: number, type: number): void => {
    const known = fields.get(owner) ?? new Map<number, number>();
    if (owner < 0 || known.has(register)) return;
    known.set(register, type);
    fields.set(owner, known);
    finder.forget(owner);
    queue.push(owner);
  };
  objectTypes.forEach(({ takers }, type) => {
    const registers = new Map(takers);
    for (const { name, defined, kind, address } of elf.symbols) {
      const register = defined && kind === 'function' ? registers.get(name) : undefined;
      const owner = register === undefined ? -1 : table.indexAt(address);
      if (register !== undefined && table.functions[owner]?.start === address) learn(owner, register, type);
    }
  });
  const calls = new Map<number, CodeEdge[]>();
  for (const edge of codeEdges) {
    if (!edge.isCall) continue;
    const list = calls.get(edge.from);
    if (list) list.push(edge);
    else calls.set(edge.from, [edge]);
  }
  for (let owner = queue.shift(); owner !== undefined; owner = queue.shift()) {
    const types = fields.get(owner);
    const guards = finder.of(owner);
    for (const { to, address } of guards ? (calls.get(owner) ?? []) : []) {
      for (const [register, own] of guards?.at(address).handedOn ?? []) {
        for (const parameter of own) {
          const type = types?.get(parameter);
          if (type !== undefined) learn(to, register, type);
        }
      }
    }
  }
  return [...fields.keys()].sort((a, b) => a - b);
}

function memoryOf(elf: Elf, terms: Terms, types: ReadonlyMap<number, number> | undefined): Memory {
  return {
    terms,
    keepsParameters: true,
    cellAt: () => undefined,
    threadCellAt: () => undefined,
    threadSlot: () => undefined,
    recordAt: () => undefined,
    fieldAt(register, offset, width) {
      const type = types?.get(register);
      const field =
        type === undefined
          ? undefined
          : objectTypes[type]?.fields.find((each) => each.offset === offset && width <= each.width);
      return field?.cell;
    },
    tableEntry(address, index) {
      const at = fileOffset(elf, address + index * 4, 4);
      return at < 0 || isWritable(elf, address + index * 4) ? undefined : elf.view.i32(at);
    },
  };
}

function isWritable(elf: Elf, address: number): boolean {
  return elf.segments.some(
    (s) =>
      s.type === segmentType.load &&
      (s.flags & 2) !== 0 &&
      address >= s.address &&
      address < s.address + s.memorySize,
  );
}
