import { posix } from 'node:path';
import {
  type FileEntry,
  type FileTree,
  type LinkedObject,
  ProfGenError,
  printable,
  type Undecided,
} from '@prof-gen/core';
import type { LoaderFacts } from '../elf/elf.js';
import type { AskedNames } from '../link/bind-symbols.js';
import type { LoaderConfig } from './loader-config.js';

/** Variables that the loader looks at, as the program gets them; empty when unset. */
export interface LoaderVariables {
  readonly libraryPath: string;
  readonly preload: string;
}

/** An object in the order in which the loader maps it. */
export interface LoadedObject {
  readonly entry: FileEntry;
  /** Under which name it was opened: `$ORIGIN` is its directory. */
  readonly openedAs: string;
  readonly info: LoaderFacts;
  readonly role: LinkedObject['role'];
  readonly reason?: string;
  /** What is asked of an object opened later, where that is known. */
  readonly asked?: AskedNames | undefined;
}

/** Dynamic information of a file; undefined where its machine is not x86-64. */
export type DynamicReader = (entry: FileEntry) => Promise<LoaderFacts | undefined>;

export interface ClosureInput {
  readonly tree: FileTree;
  readonly program: FileEntry;
  readonly variables: LoaderVariables;
  readonly config: LoaderConfig;
  readonly dynamic: DynamicReader;
}

/** A program with what is loaded into it so far. */
export interface Closure {
  /** In load order: the order of symbol look-up. */
  readonly objects: readonly LoadedObject[];
  readonly undecided: readonly Undecided[];
  /** Grows with every change of the objects. */
  readonly changes: number;
  /**
   * What `dlopen(name)` adds: the object, unless it is there already, and what it needs.
   * @param asked what is asked of it by whoever opens it, where that is known
   * @param by path of the object that calls it; its RUNPATH counts. The program itself when not known
   * @returns the object's path in the image, or undefined where the loader finds none
   */
  openLate(
    name: string,
    reason: string,
    options?: { readonly by?: string | undefined; readonly asked?: AskedNames | undefined },
  ): Promise<string | undefined>;
}

/** A search in the way of one loader. */
interface Search {
  /** Opened names in the order tried: alternatives for better CPUs, then the one for all. */
  candidates(
    name: string,
    requester: Requester,
  ): Iterable<{ readonly path: string; readonly isVariant: boolean }>;
}

/** An object and how it came to be loaded. */
interface Requester {
  readonly object: LoadedObject;
  readonly loadedBy: Requester | undefined;
}

const maximumObjects = 4096;

const hwcapDirectories = ['glibc-hwcaps/x86-64-v4', 'glibc-hwcaps/x86-64-v3', 'glibc-hwcaps/x86-64-v2'];
/** Before glibc 2.37 (sysdeps/x86_64/dl-hwcap.h and elf/dl-hwcaps.c). */
const legacyDirectories = ['tls', 'haswell/avx512_1', 'haswell', 'xeon_phi', 'avx512_1', 'x86_64'];
const multiarchDirectories = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'];
const lib64Directories = ['/lib64', '/usr/lib64'];

/** Values of the loader's own variables; where they depend on distribution or CPU, each that there may be. */
function expandTokens(text: string, origin: string, isMultiarch: boolean): readonly string[] {
  let texts = [text.replace(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin)];
  const replaceEach = (pattern: RegExp, values: readonly string[]): void => {
    texts = texts.flatMap((one) =>
      pattern.test(one) ? values.map((value) => one.replaceAll(pattern, value)) : [one],
    );
  };
  replaceEach(/\$(?:LIB\b|\{LIB\})/g, isMultiarch ? ['lib/x86_64-linux-gnu'] : ['lib64', 'lib']);
  replaceEach(/\$(?:PLATFORM\b|\{PLATFORM\})/g, ['haswell', 'xeon_phi', 'x86_64']);
  return texts;
}

function splitPath(text: string): readonly string[] {
  return text === '' ? [] : text.split(/[:;]/).map((directory) => directory || '.');
}

/** ld.so(8) and elf/dl-load.c, _dl_map_object. */
function glibcSearch({ tree, variables, config }: ClosureInput, interpreter: FileEntry): Search {
  const isMultiarch = multiarchDirectories.some((directory) => tree.resolve(directory).ok);
  const defaults = [
    ...(isMultiarch ? multiarchDirectories : lib64Directories),
    '/lib',
    '/usr/lib',
    // A loader that was built for a place of its own, such as Nix's, has its libraries beside it.
    posix.dirname(interpreter.path),
    ...config.configured,
  ];

  function* inDirectories(directories: readonly string[], name: string) {
    for (const directory of directories) {
      for (const sub of [...hwcapDirectories, ...legacyDirectories]) {
        yield { path: posix.join(directory, sub, name), isVariant: true };
      }
      yield { path: posix.join(directory, name), isVariant: false };
    }
  }
  const expand = (directories: readonly string[], object: LoadedObject): readonly string[] =>
    directories.flatMap((directory) => expandTokens(directory, posix.dirname(object.openedAs), isMultiarch));

  return {
    *candidates(name, requester) {
      const { object } = requester;
      if (name.includes('/')) {
        for (const path of expandTokens(name, posix.dirname(object.openedAs), isMultiarch)) {
          yield { path, isVariant: false };
        }
        return;
      }
      if (object.info.runpath.length === 0) {
        // RPATH is inherited from whoever loaded the requester; an object with RUNPATH has no RPATH.
        for (let at: Requester | undefined = requester; at !== undefined; at = at.loadedBy) {
          if (at.object.info.runpath.length > 0) continue;
          yield* inDirectories(expand(at.object.info.rpath, at.object), name);
        }
      }
      yield* inDirectories(
        splitPath(variables.libraryPath).flatMap((directory) => expandTokens(directory, '/', isMultiarch)),
        name,
      );
      yield* inDirectories(expand(object.info.runpath, object), name);
      const cached = config.cache.get(name);
      const isAllowed = (path: string): boolean =>
        !object.info.flags.noDefaultLibraries || !defaults.includes(posix.dirname(path));
      for (const path of cached?.variants ?? []) if (isAllowed(path)) yield { path, isVariant: true };
      for (const path of cached?.base ?? []) if (isAllowed(path)) yield { path, isVariant: false };
      if (!object.info.flags.noDefaultLibraries) yield* inDirectories(defaults, name);
    },
  };
}

/** musl, ldso/dynlink.c, load_library. */
function muslSearch({ variables, config }: ClosureInput): Search {
  const system = config.muslPath ?? ['/lib', '/usr/local/lib', '/usr/lib'];
  return {
    *candidates(name, requester) {
      if (name.includes('/')) {
        yield { path: name, isVariant: false };
        return;
      }
      for (const directory of splitPath(variables.libraryPath)) {
        yield { path: posix.join(directory, name), isVariant: false };
      }
      for (let at: Requester | undefined = requester; at !== undefined; at = at.loadedBy) {
        const { info, openedAs } = at.object;
        for (const directory of info.runpath.length > 0 ? info.runpath : info.rpath) {
          const origin = posix.dirname(openedAs);
          yield {
            path: posix.join(
              directory.replace(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin),
              name,
            ),
            isVariant: false,
          };
        }
      }
      for (const directory of system) yield { path: posix.join(directory, name), isVariant: false };
    },
  };
}

/** Names that musl's loader answers itself: they are all in the one libc (ldso/dynlink.c, load_library). */
const muslOwn = /^lib(c|pthread|rt|m|dl|util|xnet)\./;

/**
 * The objects that the image's loader maps for a program: breadth first, each file and each soname once.
 * Where the CPU decides between files, all of them are in the closure. Libraries that are missing or broken
 * are `undecided`. Nothing of the image is run.
 * @throws ProfGenError `elf/*` when the program itself cannot be read, `elf/unsupported-machine`,
 * `analysis/interpreter-not-found`
 */
export async function loadClosure(input: ClosureInput): Promise<Closure> {
  const { tree, program, config } = input;
  const info = await input.dynamic(program);
  if (info === undefined) {
    throw new ProfGenError('elf/unsupported-machine', `${printable(program.path)} is not for 64-bit x86`, {
      hint: 'choose the linux/amd64 platform of the image',
    });
  }
  const objects: LoadedObject[] = [];
  let changes = 0;
  const undecided: Undecided[] = [];
  const byPath = new Map<string, Requester>();
  const bySoname = new Map<string, string>();
  const sonames = new Set<string>();

  function add(object: LoadedObject, loadedBy: Requester | undefined, isVariant = false): Requester {
    const requester = { object, loadedBy };
    objects.push(object);
    changes += 1;
    byPath.set(object.entry.path, requester);
    const { soname } = object.info;
    if (soname !== undefined && !isVariant && !bySoname.has(soname)) bySoname.set(soname, object.entry.path);
    if (soname !== undefined && !isVariant) sonames.add(printable(soname));
    return requester;
  }
  function undecide(kind: 'library' | 'object', where: string, what: string, reason: string): void {
    undecided.push({ kind, where: printable(where), what: printable(what), reason: printable(reason) });
  }

  const root = add({ entry: program, openedAs: program.path, info, role: 'program' }, undefined);
  const alone: Closure = { objects, undecided, changes, openLate: () => Promise.resolve(undefined) };
  if (info.interpreter === undefined) return alone;
  const resolved = tree.resolve(info.interpreter);
  if (!resolved.ok || resolved.entry.type !== 'file') {
    throw new ProfGenError(
      'analysis/interpreter-not-found',
      `${printable(program.path)} needs the loader ${printable(info.interpreter)}, which the image does not have`,
      { hint: 'the program cannot start in this image; is it built for another distribution or libc?' },
    );
  }
  const interpreter = resolved.entry;
  const interpreterInfo = await input.dynamic(interpreter);
  if (interpreterInfo === undefined) {
    throw new ProfGenError('elf/unsupported-machine', `${printable(interpreter.path)} is not for 64-bit x86`);
  }
  const isMusl =
    /^ld-musl-/.test(posix.basename(info.interpreter)) || /^libc\.so$/.test(posix.basename(interpreter.path));
  const search = isMusl ? muslSearch(input) : glibcSearch(input, interpreter);
  const interpreterNames = new Set([posix.basename(info.interpreter), interpreterInfo.soname ?? '']);
  let interpreterPlaced = false;
  function placeInterpreter(): void {
    if (interpreterPlaced) return;
    interpreterPlaced = true;
    add(
      {
        entry: interpreter,
        openedAs: info?.interpreter ?? '',
        info: interpreterInfo as LoaderFacts,
        role: 'interpreter',
      },
      root,
    );
  }

  /** @returns what was newly loaded, and where the name leads */
  async function open(
    name: string,
    requester: Requester,
    role: LinkedObject['role'],
    reason: string | undefined,
  ): Promise<{ readonly path: string | undefined; readonly added: readonly Requester[] }> {
    if (interpreterNames.has(name) || (isMusl && muslOwn.test(name))) {
      placeInterpreter();
      return { path: interpreter.path, added: [] };
    }
    const known = bySoname.get(name);
    if (known !== undefined && !name.includes('/')) return { path: known, added: [] };
    const added: Requester[] = [];
    for (const { path, isVariant } of search.candidates(name, requester)) {
      const found = tree.resolve(path);
      if (!found.ok || found.entry.type !== 'file') continue;
      const { entry } = found;
      const loaded = byPath.get(entry.path);
      if (loaded !== undefined) {
        if (isVariant) continue;
        if (!name.includes('/')) bySoname.set(name, entry.path);
        return { path: entry.path, added };
      }
      if (entry.path === interpreter.path) {
        placeInterpreter();
        return { path: entry.path, added };
      }
      let own: LoaderFacts | undefined;
      try {
        own = await input.dynamic(entry);
      } catch (error) {
        const code = error instanceof ProfGenError ? error.code : 'internal/unexpected';
        undecide('object', requester.object.entry.path, entry.path, code);
        if (isVariant) continue;
        return { path: undefined, added };
      }
      // Files for another machine are passed over, as the loader does.
      if (own === undefined) continue;
      if (objects.length >= maximumObjects) {
        undecide('library', program.path, name, `more than ${maximumObjects} objects are loaded`);
        return { path: undefined, added };
      }
      const aka = own.soname === undefined ? undefined : bySoname.get(own.soname);
      if (aka !== undefined && !isVariant && !name.includes('/')) return { path: aka, added };
      const withReason =
        reason ??
        (isVariant ? 'taken instead on CPUs that have what its directory is named after' : undefined);
      added.push(
        add(
          {
            entry,
            openedAs: posix.resolve('/', path),
            info: own,
            // Its twin for all CPUs stands first in look-up: as a late one, all that it exports counts as well.
            role: isVariant ? 'late' : role,
            ...(withReason === undefined ? {} : { reason: withReason }),
          },
          requester,
          isVariant,
        ),
      );
      if (isVariant) continue;
      if (!name.includes('/')) bySoname.set(name, entry.path);
      return { path: entry.path, added };
    }
    return { path: undefined, added };
  }

  /** Everything that the requesters need, level by level. */
  async function breadthFirst(
    start: readonly Requester[],
    role: LinkedObject['role'],
    reason?: string,
  ): Promise<void> {
    const queue = [...start];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { filters, auxiliaries, needed } = next.object.info;
      for (const name of [...filters, ...auxiliaries, ...needed]) {
        const { path, added } = await open(name, next, role, reason);
        queue.push(...added);
        if (
          path === undefined &&
          !auxiliaries.includes(name) &&
          !undecided.some(({ what }) => what === printable(name))
        ) {
          undecide('library', next.object.entry.path, name, 'the loader finds no such library in the image');
        }
      }
    }
  }

  const preloaded: Requester[] = [];
  const preloads = [...input.variables.preload.split(/[ :]+/), ...(isMusl ? [] : config.preload)];
  for (const name of preloads.filter((word) => word !== '')) {
    const { path, added } = await open(name, root, 'preload', undefined);
    preloaded.push(...added);
    // ld.so goes on without it (ld.so(8)): so does this.
    if (path === undefined)
      undecide('library', program.path, name, 'a preloaded library is not in the image');
  }
  await breadthFirst([root, ...preloaded], 'needed');
  placeInterpreter();

  return {
    objects,
    get changes() {
      return changes;
    },
    // What one object misses another may have brought later under that soname: the loader then takes that.
    get undecided() {
      return undecided.filter(({ kind, what }) => kind !== 'library' || !sonames.has(what));
    },
    async openLate(name, reason, { by, asked } = {}) {
      const requester = (by === undefined ? undefined : byPath.get(by)) ?? root;
      const { path, added } = await open(name, requester, 'late', reason);
      // What another one was linked to may be opened by its own name as well.
      const position = objects.findIndex(({ entry }) => entry.path === path);
      const known = objects[position];
      const isNew = added[0]?.object === known;
      const change = (to: Partial<LoadedObject>): void => {
        if (known === undefined) return;
        objects[position] = { ...known, ...to };
        changes += 1;
      };
      if (known?.role === 'late-needed') change({ role: 'late', reason, asked });
      else if (known?.role === 'late' && isNew) change({ asked });
      // Opened for two reasons it may be asked for what either asks: what is not known of one is not of both.
      else if (known?.asked !== undefined && known.asked !== asked) change({ asked: undefined });
      await breadthFirst(
        added,
        'late-needed',
        added[0] === undefined ? undefined : `needed by ${printable(added[0].object.entry.path)}: ${reason}`,
      );
      return path;
    },
  };
}
