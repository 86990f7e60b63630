import type { LinkedObject, Reachability } from '@prof-gen/core';
import type { ExportedSymbol, FileSummary, ImportedSymbol } from '../summary/file-summary.js';

/** What is linked: a program and all that is loaded with it. */
export interface LinkInput {
  /** Path of the program in the image. */
  readonly program: string;
  /** In load order: program, preloaded, needed (breadth first), interpreter; those loaded later last. */
  readonly objects: readonly {
    readonly object: LinkedObject;
    readonly summary: FileSummary;
  }[];
  /** Absent: `objects`. */
  readonly reachability?: Reachability;
}

export interface Definition {
  /** Position in the input's objects. */
  readonly object: number;
  readonly symbol: ExportedSymbol;
}

const exportMaps = new WeakMap<FileSummary, ReadonlyMap<string, readonly ExportedSymbol[]>>();

/** Exports by name; kept with the summary, since many programs share a library. */
export function exportsByName(summary: FileSummary): ReadonlyMap<string, readonly ExportedSymbol[]> {
  const known = exportMaps.get(summary);
  if (known) return known;
  const map = new Map<string, ExportedSymbol[]>();
  for (const symbol of summary.exports) {
    const list = map.get(symbol.name);
    if (list) list.push(symbol);
    else map.set(symbol.name, [symbol]);
  }
  exportMaps.set(summary, map);
  return map;
}

/**
 * Those of an object's definitions that the loader may take for a reference.
 * As `do_lookup_x` in glibc's elf/dl-lookup.c: a reference with a version takes the definition of that version,
 * or one without any version; a reference without takes the default or base one. Where glibc's choice
 * depends on history (several versions, an old reference), all count.
 */
function matching(definitions: readonly ExportedSymbol[], wanted: ImportedSymbol): readonly ExportedSymbol[] {
  if (wanted.version === undefined) return definitions;
  const exact = definitions.filter((symbol) => symbol.version === wanted.version);
  if (exact.length > 0) return exact;
  return definitions.filter((symbol) => symbol.version === undefined && !symbol.hidden);
}

/** Binds references as the loader does, each once. */
export function symbolBinder(input: LinkInput): (object: number, symbol: number) => readonly Definition[] {
  const { objects } = input;
  const isLate = (position: number): boolean => {
    const role = objects[position]?.object.role;
    return role === 'late' || role === 'late-needed';
  };
  const scope = objects.map((_, position) => position).filter((position) => !isLate(position));
  const late = objects.map((_, position) => position).filter(isLate);
  const bound = objects.map(() => new Map<number, readonly Definition[]>());
  const definitionsIn = (position: number, wanted: ImportedSymbol): Definition[] => {
    const summary = objects[position]?.summary;
    const candidates = summary && exportsByName(summary).get(wanted.name);
    if (!candidates) return [];
    return matching(candidates, wanted).map((symbol) => ({ object: position, symbol }));
  };
  const firstIn = (order: readonly number[], wanted: ImportedSymbol, except: number): Definition[] => {
    for (const position of order) {
      if (position === except) continue;
      const found = definitionsIn(position, wanted);
      if (found.length > 0) return found;
    }
    return [];
  };
  return (object, symbol) => {
    const known = bound[object]?.get(symbol);
    if (known) return known;
    const summary = objects[object]?.summary;
    const wanted = summary?.imports[symbol];
    let found: Definition[] = [];
    if (summary && wanted) {
      if (summary.flags.symbolic && !wanted.copy) found = definitionsIn(object, wanted);
      if (found.length === 0) found = firstIn(scope, wanted, wanted.copy ? object : -1);
      // In which order late objects come is not known, nor RTLD_DEEPBIND: any of them may be meant.
      if (isLate(object)) found = [...found, ...late.flatMap((position) => definitionsIn(position, wanted))];
    }
    bound[object]?.set(symbol, found);
    return found;
  };
}
