import { linkProgram } from '../link/link-program.js';
import type { LinkInput } from '../link/bind-symbols.js';
import { analyzerVersion, type FileSummary } from '../summary/file-summary.js';

/** Its path can be no object's. */
const witness = '';

/** An object that defines these functions, each saying its own name when it is reached. */
function witnessOf(functions: readonly string[]): FileSummary {
  return {
    analyzerVersion,
    type: 'shared',
    pie: false,
    static: false,
    needed: [],
    rpath: [],
    runpath: [],
    flags: { symbolic: false, bindNow: false, noDefaultLibraries: false, pie: false, noDelete: false },
    imports: [],
    exports: functions.map((name, node) => ({ name, hidden: false, kind: 'function', node })),
    nodes: functions.length,
    roles: new Uint8Array(functions.length),
    edgeStart: new Uint32Array(functions.length + 1),
    edgeTo: new Uint32Array(),
    edgeKind: new Uint8Array(),
    importStart: new Uint32Array(functions.length + 1),
    importOf: new Uint32Array(),
    sites: [],
    undecided: [],
    numberedCalls: [],
    lateNames: functions.map((name, node) => ({ node, name })),
    lookups: [],
    guarded: [],
    conditions: [[]],
    argumentLists: [[]],
    parameters: [],
    cells: [],
    stores: [],
    entry: -1,
    initial: [],
    health: {
      functions: 0,
      instructions: 0,
      objects: 0,
      unwindEntries: 0,
      unreferencedUnwindEntries: 0,
      syscallSites: 0,
      undecidedSites: 0,
    },
  };
}

/**
 * Which of these functions of libc the program's reachable code calls from outside libc, found by linking
 * with an object in front that defines them, as a preloaded one would.
 */
export function reachedFunctions(input: LinkInput, functions: readonly string[]): ReadonlySet<string> {
  const [program, ...others] = input.objects;
  if (program === undefined || functions.length === 0) return new Set();
  const front = {
    object: { path: witness, sha256: '', role: 'preload' as const },
    summary: witnessOf(functions),
  };
  const { lateNames } = linkProgram({ ...input, objects: [program, front, ...others] });
  return new Set(lateNames.filter(({ object }) => object === witness).map(({ name }) => name));
}
