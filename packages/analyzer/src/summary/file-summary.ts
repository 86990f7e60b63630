import type { KnownArgument } from '@prof-gen/core';
import type { LoaderFacts } from '../elf/elf.js';
import type { GuardedEdge, SummaryArgument, SummaryConstraint } from './guard-tables.js';

/**
 * Version of the analysis. Part of the key under which summaries are kept, so raise it with every change that
 * may change a summary or what linking makes of it.
 */
export const analyzerVersion = '10';

/** A symbol that the file asks the loader for. A file may ask for its own (they can be interposed). */
export interface ImportedSymbol {
  readonly name: string;
  readonly version?: string;
  /** Found by COPY: the definition is looked for in the other objects only. */
  readonly copy: boolean;
}

export interface ExportedSymbol {
  readonly name: string;
  readonly version?: string;
  /** Only references that name the version bind to it. */
  readonly hidden: boolean;
  readonly kind: 'function' | 'data';
  /** Node it leads to, or -1: it reaches nothing that matters. Callers must be assumed to pass anything. */
  readonly node: number;
  /** The function makes the system call whose number is in this register; `node` reports calls with unknown numbers. */
  readonly wrapper?: { readonly register: number; readonly node: number };
}

/** An instruction that makes a system call, or a call of a wrapper with this number. */
export interface CallSite {
  readonly node: number;
  readonly number: number;
  readonly address: number;
  readonly function: string;
  /** Index into `conditions`; none always holds. */
  readonly condition?: number;
  /** Absent where none is known. */
  readonly arguments?: readonly KnownArgument[];
}

export interface UndecidedSite {
  readonly node: number;
  readonly address: number;
  readonly function: string;
  readonly reason: string;
  /** As of a `CallSite`. */
  readonly condition?: number;
}

/** A call of an imported function that is known to take a system call number first: `syscall`. */
export interface NumberedCall {
  readonly node: number;
  /** Index into `imports`. */
  readonly import: number;
  /** What rdi may hold; empty when not decided. */
  readonly numbers: readonly number[];
  readonly address: number;
  readonly function: string;
  /** Those of the system call. Absent where none is known. */
  readonly arguments?: readonly KnownArgument[];
}

export interface NameUse {
  readonly node: number;
  readonly name: string;
}

/**
 * How an edge came about; index into this is what `edgeKind` holds. Of several between two nodes the first counts.
 * - `call`, `jump`: code calls it; jumps or runs on to it (a tail call, a shared tail)
 * - `address`: code takes the address of a function
 * - `data`: code refers to a data object
 * - `pointer`: a data object has a pointer to it
 * - `resolver`: a data object is filled by what an IFUNC resolver returns
 * - `self`: the same function, entered with arguments that nobody knows
 */
export const edgeKinds = ['call', 'jump', 'address', 'data', 'pointer', 'resolver', 'self'] as const;
export type EdgeKind = (typeof edgeKinds)[number];

/** Bits of what a node is, joined with `|` where nodes are joined. */
export const nodeRole = {
  /** A data object with pointers; a GOT entry is none. */
  data: 1,
  /** Some code of the file, reachable or not, takes its address: a function, or a GOT entry bound to one. */
  addressTaken: 2,
} as const;

/**
 * Why a node counts whoever loads the file:
 * - `init-or-fini`: DT_INIT or DT_FINI
 * - `array`: a part of DT_PREINIT_ARRAY, DT_INIT_ARRAY or DT_FINI_ARRAY
 * - `resolver`: the loader calls it to fill a GOT entry (IRELATIVE)
 * - `thread-data`, `unreferenced-data`: a data object that is reached in ways that references do not show
 * - `go`: Go's runtime may reach it
 * - `julia`: a function of a system image of Julia
 */
export const initialReasons = [
  'init-or-fini',
  'array',
  'resolver',
  'thread-data',
  'unreferenced-data',
  'go',
  'julia',
] as const;
export type InitialReason = (typeof initialReasons)[number];

/** Figures that show when a kind of edge is missing: unwind entries nothing refers to should be few. */
export interface Health {
  readonly functions: number;
  readonly instructions: number;
  readonly objects: number;
  readonly unwindEntries: number;
  readonly unreferencedUnwindEntries: number;
  readonly syscallSites: number;
  readonly undecidedSites: number;
}

/** What is known at the nodes of a file's graph, whole or condensed. */
export interface NodeFacts {
  readonly imports: readonly ImportedSymbol[];
  readonly exports: readonly ExportedSymbol[];
  readonly sites: readonly CallSite[];
  readonly undecided: readonly UndecidedSite[];
  readonly numberedCalls: readonly NumberedCall[];
  /** Names of shared objects in the node's reach: what it may give to dlopen. */
  readonly lateNames: readonly NameUse[];
  /** Identifiers that the node may give to dlsym. */
  readonly lookups: readonly NameUse[];
  /** Node of e_entry, or -1. */
  readonly entry: number;
  /** Nodes that run or count whoever loads the file: init and fini, resolvers, data that nothing refers to. */
  readonly initial: readonly number[];
  readonly health: Health;
}

/** What decides whether a way is taken. See docs/decisions/guards.md. */
export interface GuardFacts {
  readonly guarded: readonly GuardedEdge[];
  readonly conditions: readonly (readonly SummaryConstraint[])[];
  readonly argumentLists: readonly (readonly SummaryArgument[])[];
  /** Nodes that look at what they are given, and the registers. Others do not care. */
  readonly parameters: readonly { readonly node: number; readonly registers: readonly number[] }[];
  /** What cells hold at first. `shared` ones are the same for all files. */
  readonly cells: readonly {
    readonly cell: string;
    readonly shared: boolean;
    readonly values: readonly number[];
  }[];
  /**
   * Functions that make cells hold anything, when they are reached by that name: what libc hands on inside itself is
   * what somebody else made before.
   */
  readonly stores: readonly { readonly node: number; readonly symbol: string; readonly cell: string }[];
}

/**
 * What one ELF file means for reachability, whoever loads it: plain data, keyed by content hash and
 * `analyzerVersion`. Nodes are strongly connected components of functions and data objects; a node that
 * reaches neither a system call nor an import nor a name is left out.
 */
export interface FileSummary extends LoaderFacts, NodeFacts, GuardFacts {
  readonly analyzerVersion: string;
  readonly type: 'executable' | 'shared';
  readonly pie: boolean;
  readonly static: boolean;
  readonly nodes: number;
  /** `nodeRole` by node: what other notions of reachability begin with. */
  readonly roles: Uint8Array;
  /** Edges of node n: positions `edgeStart[n]` to `edgeStart[n + 1]` of `edgeTo` and `edgeKind`. */
  readonly edgeStart: Uint32Array;
  readonly edgeTo: Uint32Array;
  readonly edgeKind: Uint8Array;
  /** Imports of node n, in the same form. */
  readonly importStart: Uint32Array;
  readonly importOf: Uint32Array;
}

export const nodeKinds = ['function', 'data', 'got', 'unknown-arguments'] as const;

/**
 * What an explanation needs of a file; kept apart because linking does not need it. `graph` is the same summary
 * before anything was joined: each node is one function or data object, so that a way through it is a real one.
 */
export interface FileDetail {
  readonly analyzerVersion: string;
  readonly graph: FileSummary;
  /** By node of `graph`: symbol, or `+0x1a2b` where no source has a name. */
  readonly names: readonly string[];
  /** By node of `graph`: where it starts, in the file's own numbering. */
  readonly addresses: readonly number[];
  /** By node of `graph`: index into `nodeKinds`. */
  readonly kinds: readonly number[];
  /** For each of `graph.initial`: index into `initialReasons`. */
  readonly initial: readonly number[];
}
