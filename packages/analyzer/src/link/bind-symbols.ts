import type { LinkedObject, Reachability } from '@prof-gen/core';
import type { ExportedSymbol, FileSummary, ImportedSymbol } from '../summary/file-summary.js';

/**
 * What whoever opens an object asks of it: names of its exports, each with functions of which one must be called
 * before. What is not there is asked for only where reachable code has the name as a constant.
 */
export type AskedNames = Readonly<Record<string, readonly string[]>>;

/** What is linked: a program and all that is loaded with it. */
export interface LinkInput {
  /** Path of the program in the image. */
  readonly program: string;
  /** In load order: program, preloaded, needed (breadth first), interpreter; those loaded later last. */
  readonly objects: readonly {
    readonly object: LinkedObject;
    readonly summary: FileSummary;
    /** Of an object opened later. Absent: any name may be asked for. */
    readonly asked?: AskedNames | undefined;
  }[];
  /** Absent: `objects`. */
  readonly reachability?: Reachability;
}

export interface Definition {
  /** Position in the input's objects. */
  readonly object: number;
  readonly symbol: ExportedSymbol;
}

/**
 * Those of an object's definitions that the loader may take for a reference.
 * As `do_lookup_x` in glibc's elf/dl-lookup.c: a reference with a version takes the definition of that version,
 * or one without any version; a reference without takes the default or base one. Where glibc's choice
 * depends on history (several versions, an old reference), all count.
 */
function matching(definitions: Definition[], wanted: ImportedSymbol): Definition[] {
  if (wanted.version === undefined) return definitions;
  const exact = definitions.filter(({ symbol }) => symbol.version === wanted.version);
  if (exact.length > 0) return exact;
  return definitions.filter(({ symbol }) => symbol.version === undefined && !symbol.hidden);
}

/**
 * Binds references as the loader does, each once. The objects may become more, at their end, as long as those are
 * late ones: `bind` then gives what they define as well.
 */
export class SymbolBinder {
  readonly #objects: LinkInput['objects'];
  /** By name, in the order of the objects. */
  readonly #definitions = new Map<string, Definition[]>();
  /** How many objects' definitions are known. */
  #known = 0;
  /** By object and import. */
  readonly #bound: (readonly Definition[] | undefined)[][] = [];
  /** By reference: many objects refer to the same names. */
  readonly #inScope = new Map<string, readonly Definition[]>();
  readonly #inLate = new Map<string, readonly Definition[]>();
  /** Of all references that were asked for. */
  readonly names = new Set<string>();

  constructor({ objects }: LinkInput) {
    this.#objects = objects;
    this.extend();
  }

  /** Takes in objects that have come since. */
  extend(): void {
    for (; this.#known < this.#objects.length; this.#known++) {
      const object = this.#known;
      this.#bound.push([]);
      for (const symbol of this.#objects[object]?.summary.exports ?? []) {
        const list = this.#definitions.get(symbol.name);
        if (list) list.push({ object, symbol });
        else this.#definitions.set(symbol.name, [{ object, symbol }]);
      }
    }
    this.#inLate.clear();
    for (const [position, bound] of this.#bound.entries()) if (this.#isLate(position)) bound.length = 0;
  }

  /** All definitions of a name, of whatever version, in the order of the objects: what dlsym may find. */
  named(name: string): readonly Definition[] {
    return this.#definitions.get(name) ?? [];
  }

  /** @returns the definitions that import `symbol` of an object may be bound to; several where it is not decided */
  bind(object: number, symbol: number): readonly Definition[] {
    const bound = this.#bound[object];
    const known = bound?.[symbol];
    if (known) return known;
    const found = this.#find(object, symbol);
    if (bound) bound[symbol] = found;
    return found;
  }

  #isLate(position: number): boolean {
    const role = this.#objects[position]?.object.role;
    return role === 'late' || role === 'late-needed';
  }

  #find(object: number, symbol: number): readonly Definition[] {
    const summary = this.#objects[object]?.summary;
    const wanted = summary?.imports[symbol];
    if (!summary || !wanted) return [];
    this.names.add(wanted.name);
    let found: readonly Definition[] = [];
    if (summary.flags.symbolic && !wanted.copy) {
      found = this.#matchingIn(wanted, (position) => position === object)[0] ?? [];
    }
    if (found.length === 0) found = this.#firstInScope(wanted, object);
    // In which order late objects come is not known, nor RTLD_DEEPBIND: any of them may be meant.
    return this.#isLate(object) ? [...found, ...this.#inLateObjects(wanted)] : found;
  }

  #firstInScope(wanted: ImportedSymbol, object: number): readonly Definition[] {
    const search = (except: number): readonly Definition[] =>
      this.#matchingIn(wanted, (position) => position !== except && !this.#isLate(position))[0] ?? [];
    return wanted.copy ? search(object) : remembered(this.#inScope, wanted, () => search(-1));
  }

  #inLateObjects(wanted: ImportedSymbol): readonly Definition[] {
    return remembered(this.#inLate, wanted, () =>
      this.#matchingIn(wanted, (position) => this.#isLate(position)).flat(),
    );
  }

  /** For each object of a kind that has any: its definitions that a reference may be bound to. */
  #matchingIn(wanted: ImportedSymbol, isWanted: (position: number) => boolean): readonly Definition[][] {
    const all = this.named(wanted.name);
    const groups: Definition[][] = [];
    for (let i = 0; i < all.length; ) {
      const position = all[i]?.object ?? -1;
      const start = i;
      while (all[i]?.object === position) i++;
      if (!isWanted(position)) continue;
      const group = matching(all.slice(start, i), wanted);
      if (group.length > 0) groups.push(group);
    }
    return groups;
  }
}

function remembered(
  known: Map<string, readonly Definition[]>,
  { name, version }: ImportedSymbol,
  find: () => readonly Definition[],
): readonly Definition[] {
  const key = version === undefined ? name : `${name}\0${version}`;
  let found = known.get(key);
  if (found === undefined) {
    found = find();
    known.set(key, found);
  }
  return found;
}
