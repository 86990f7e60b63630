import { posix } from 'node:path';
import type { FileTree } from '@prof-gen/core';

/** A way to name a shared object. */
export interface ObjectPath {
  /** Where it lies, or a link to it. */
  readonly path: string;
  /** The file's real path. */
  readonly real: string;
}

/** Shared objects of an image, by path and by name. */
export interface ImageObjects {
  /** ELF files that are named like shared objects, links to them included, in the tree's order. */
  readonly paths: readonly ObjectPath[];
  /**
   * Objects that a constant of reachable code may mean when the loader finds nothing under it: those whose
   * path, links included, ends in it. `%s` and the like stand for any part of a file's name. Sorted.
   * @returns nothing where too little of the file's name is constant
   */
  matching(name: string): readonly string[];
}

/** `.node` are addons of Node.js, `.ndll` libraries of Neko. */
const objectName = /\.(so|node|ndll)(\.[\d.]+)?$/;
/** Conversions of printf(3). */
const conversion = /%[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|j|z|t)?[sdiuxXc]/g;
/** Characters of a pattern's last part that must be constant, `lib` and suffix aside. */
const minimumConstant = 4;
const maximumPatterns = 1000;

/** The index of one image; the tree is gone through once. */
export function imageObjects(tree: FileTree): ImageObjects {
  const paths: ObjectPath[] = [];
  const byName = new Map<string, Map<string, string>>();
  for (const entry of tree.entries()) {
    if (entry.type === 'directory' || !objectName.test(entry.path)) continue;
    const found = entry.type === 'symlink' ? tree.resolve(entry.path) : { ok: true as const, entry };
    if (!found.ok || found.entry.type !== 'file' || found.entry.kind !== 'elf') continue;
    paths.push({ path: entry.path, real: found.entry.path });
    const name = posix.basename(entry.path);
    const same = byName.get(name) ?? new Map<string, string>();
    same.set(entry.path, found.entry.path);
    byName.set(name, same);
  }
  const known = new Map<string, readonly string[]>();

  function search(name: string): readonly string[] {
    const base = posix.basename(name);
    const constant = base
      .replaceAll(conversion, '')
      .replace(/^lib/, '')
      .replace(/\.so[\d.]*$/, '');
    const isPattern = base.search(conversion) >= 0;
    if (constant.length < (isPattern ? minimumConstant : 1)) return [];
    // Directories that are put together at run time say nothing.
    const directories = posix.dirname(name).split('/').reverse();
    const unknownAt = directories.findIndex((one) => one === '..' || one.search(conversion) >= 0);
    const kept = (unknownAt < 0 ? directories : directories.slice(0, unknownAt)).reverse();
    const suffix = `/${[...kept.filter((one) => one !== '.' && one !== ''), ''].join('/')}`.replace(
      '//',
      '/',
    );
    const nameMatches = isPattern
      ? new RegExp(`^${base.split(conversion).map(escaped).join('[^/]*')}$`)
      : undefined;
    const names = nameMatches ? [...byName.keys()].filter((one) => nameMatches.test(one)) : [base];
    const found = new Set<string>();
    for (const one of names) {
      for (const [path, real] of byName.get(one) ?? []) if (path.endsWith(`${suffix}${one}`)) found.add(real);
    }
    return [...found].sort();
  }

  return {
    paths,
    matching(name) {
      const cached = known.get(name);
      if (cached !== undefined) return cached;
      const found = search(name);
      if (known.size < maximumPatterns) known.set(name, found);
      return found;
    },
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
