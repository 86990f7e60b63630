import type { ChainVia, LinkedObject, Reachability } from '@prof-gen/core';
import { type ExportedSymbol, type FileSummary, nodeRole } from '../summary/file-summary.js';
import type { LinkInput } from './bind-symbols.js';

/** Where a walk begins. */
export interface Root {
  /** Position in the input's objects. */
  readonly object: number;
  readonly node: number;
  readonly via: ChainVia;
  readonly symbol?: ExportedSymbol;
}

/**
 * The beginnings of all that a program and its objects may execute: the program's and the interpreter's entry,
 * what the loader runs in every object, and all that objects opened later export, since whoever opens one may ask
 * it for any name (dlsym(3)); with another notion of reachability than `objects` what that one takes for reached
 * besides. Where it is known what is asked for, `ReachWalk` sees to it. What an object opened later is linked to is bound by symbol, as at the start: dlsym on the opener's
 * handle finds its names too, but those are names of a foreign library, which stand in the asker's code as such.
 * @param first only objects from this position on
 */
export function* rootsOf({ objects: all, reachability = 'objects' }: LinkInput, first = 0): Iterable<Root> {
  const objects = [...all.entries()].slice(first);
  for (const [object, { object: linked, summary }] of objects) {
    if (linked.role === 'program' || linked.role === 'interpreter')
      yield { object, node: summary.entry, via: 'entry' };
  }
  for (const [object, { object: linked, summary, asked }] of objects) {
    for (const node of summary.initial) yield { object, node, via: 'init' };
    if (linked.role !== 'late' || asked !== undefined) continue;
    for (const symbol of summary.exports) yield { object, node: symbol.node, via: 'export', symbol };
  }
  if (reachability === 'objects') return;
  for (const [object, { object: linked, summary }] of objects) {
    for (let node = 0; node < summary.nodes; node++) {
      if (isAssumed(reachability, linked, summary, node)) yield { object, node, via: 'assumed' };
    }
  }
}

/** Objects of the C library: glibc's (several files before 2.34) and musl's. */
const cLibrary = /^(lib(c|pthread|dl|rt)\.so\.\d+|ld-.*|libc\.musl-.*|libc\.so)$/;

function isAssumed(
  reachability: Reachability,
  { role }: LinkedObject,
  summary: FileSummary,
  node: number,
): boolean {
  const roles = summary.roles[node] ?? 0;
  switch (reachability) {
    case 'objects':
      return false;
    case 'code':
      return (roles & nodeRole.data) !== 0;
    case 'address-taken':
      return roles !== 0;
    case 'imports':
      // From the C library only what the others import counts, and what that reaches.
      return role !== 'interpreter' && !cLibrary.test(summary.soname ?? '');
  }
}
