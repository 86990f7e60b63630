import type { ObservedProgram, ProgramAnalysis } from '@prof-gen/core';

/** Phases of an observation in which a container does nothing but what it does by itself. */
const byItself: ReadonlySet<string> = new Set(['start', 'input', 'health']);

export interface ConfineSelection {
  readonly basis: 'trace' | 'static';
  /** Paths, sorted. */
  readonly programs: readonly string[];
  /** Path to SHA-256 (hexadecimal) of these programs' objects; loaders are left out. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The files that Confine would copy out of the container: the programs that it executes by itself, what they are linked
 * to, and what was seen mapped executable. The dynamic loader is left out, but for musl's, which is the C library.
 * Without a trace: the programs that static analysis finds.
 */
export function confineFiles(
  programs: readonly Pick<ProgramAnalysis, 'path' | 'objects'>[],
  observed?: readonly Pick<ObservedProgram, 'path' | 'objects' | 'phase'>[],
): ConfineSelection {
  const running = observed?.filter(({ phase }) => byItself.has(phase));
  const mapped = new Map(running?.map(({ path, objects }) => [path, new Set(objects)]));
  const files = new Map<string, string>();
  const chosen = programs.filter(({ path }) => running === undefined || mapped.has(path));
  for (const { path: program, objects } of chosen) {
    for (const { path, role, sha256 } of objects) {
      const isLinked = role === 'program' || role === 'preload' || role === 'needed';
      const isMusl = role === 'interpreter' && path.includes('musl');
      if (isLinked || isMusl || (role !== 'interpreter' && mapped.get(program)?.has(path) === true)) {
        files.set(path, sha256);
      }
    }
  }
  return {
    basis: running === undefined ? 'static' : 'trace',
    programs: chosen.map(({ path }) => path).sort(),
    files,
  };
}
