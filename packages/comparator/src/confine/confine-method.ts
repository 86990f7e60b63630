import { type LibraryGraph, type LineFacts, syscallName, x86_64Syscalls } from '@prof-gen/core';
import { allowedToJava, alwaysAllowed } from './always-allowed.js';
import { cLibraryOf, searchedForDirectCalls } from './c-library-files.js';
import { libraryCalls } from './library-calls.js';

export interface ConfineFile {
  readonly path: string;
  /** Absent for a file that could not be read. */
  readonly facts?: LineFacts | undefined;
  /** Of files of the C library. */
  readonly graph?: LibraryGraph | undefined;
}

/** Steps of the method, each by itself. docs/methodology.md, "Against Confine". */
export interface ConfineSteps {
  /** Numbers near instructions that make a call, outside of libc. */
  readonly directCalls: boolean;
  /** Imported functions, through libc's call graph. */
  readonly imports: boolean;
  /** In that graph, functions whose address is taken besides those that are called. */
  readonly addressTaken: boolean;
  /** Imports that may be missing, too. The original loses their names when it splits the listing. */
  readonly weakImports: boolean;
  readonly alwaysAllowed: boolean;
  /** What Java is always allowed, when a program named `java` runs. */
  readonly java: boolean;
  /** Lists made by hand for some images. */
  readonly handMade: boolean;
}

/** The method as it was published. */
export const confineSteps: ConfineSteps = {
  directCalls: true,
  imports: true,
  addressTaken: true,
  weakImports: false,
  alwaysAllowed: true,
  java: true,
  handMade: true,
};

export interface ConfineInput {
  /** As `confineFiles` chooses them. */
  readonly files: readonly ConfineFile[];
  /** Calls of the list that was made by hand for this image, if there is one. */
  readonly handMade?: readonly string[] | undefined;
  /** Calls that a profile of Confine's can deny; every other stays open. */
  readonly decided: readonly string[];
  /** All but what is named here as in `confineSteps`. */
  readonly steps?: Partial<ConfineSteps>;
}

export interface ConfineProfile {
  /** Sorted names of the whole table: what is not denied. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** What was found, sorted: near instructions, and from imports. */
  readonly direct: readonly string[];
  readonly imported: readonly string[];
  /** Instructions without a number near them: the method passes them over. */
  readonly undecided: number;
  readonly java: boolean;
  /** Paths of files that could not be read, sorted. */
  readonly unreadable: readonly string[];
}

/** The profile that Confine's method (RAID 2020) gives to a container with these files: a list of denied calls. */
export function confineMethod({ files, handMade, decided, steps }: ConfineInput): ConfineProfile {
  const on: ConfineSteps = { ...confineSteps, ...steps };
  const named = (numbers: Iterable<number>): string[] =>
    [...new Set(numbers)]
      .filter((number) => x86_64Syscalls.nameOf(number) !== undefined)
      .map((number) => syscallName(x86_64Syscalls, number))
      .sort();
  const searched = on.directCalls ? files.filter(({ path }) => searchedForDirectCalls(path)) : [];
  const direct = named(searched.flatMap(({ facts }) => facts?.direct ?? []));
  const names = files.flatMap(({ facts }) => [
    ...(facts?.imports ?? []),
    ...(on.weakImports ? (facts?.weakImports ?? []) : []),
  ]);
  // One file of musl's makes it a container of musl's, whatever else is there.
  const isMusl = files.some(({ path }) => cLibraryOf(path) === 'musl');
  const graphs = files.flatMap(({ path, graph }) =>
    graph !== undefined && cLibraryOf(path) === (isMusl ? 'musl' : 'glibc') ? [graph] : [],
  );
  const imported = on.imports ? named(libraryCalls(graphs, names, on)) : [];
  const java = on.java && files.some(({ path }) => path.endsWith('/java'));
  const open = new Set([
    ...direct,
    ...imported,
    ...(on.alwaysAllowed ? alwaysAllowed : []),
    ...(on.handMade ? (handMade ?? []) : []),
    ...(java ? allowedToJava : []),
  ]);
  const canDeny = new Set(decided);
  const denied = x86_64Syscalls.names.filter((name) => canDeny.has(name) && !open.has(name)).sort();
  const isDenied = new Set(denied);
  return {
    allowed: x86_64Syscalls.names.filter((name) => !isDenied.has(name)).sort(),
    denied,
    direct,
    imported,
    undecided: searched.reduce((sum, { facts }) => sum + (facts?.undecided ?? 0), 0),
    java,
    unreadable: files.flatMap(({ path, facts }) => (facts === undefined ? [path] : [])).sort(),
  };
}
