import { posix } from 'node:path';
import type { FileEntry, FileTree } from '@prof-gen/core';
import { type LateRule, lateRules } from './late-rules.js';

/** A file that a rule says a program may open. */
export interface LateFile {
  readonly path: string;
  readonly reason: string;
}

/** What of a program a rule looks at. */
export interface LateHost {
  /** Real path of the program. */
  readonly program: string;
  /** Base names and sonames of what is loaded. */
  readonly sonames: readonly string[];
}

/** Configuration of more bytes than this says nothing about modules. */
const maximumConfiguration = 1024 * 1024;
const maximumConfigurations = 2000;

const object = /\.(so|node)(\.[\d.]+)?$/;

/** Name of a module without directory, `lib`, suffix and version: what configuration may call it. */
function moduleName(path: string): string {
  return posix.basename(path).replace(/\.so(\.[\d.]+)?$/, '');
}

/**
 * The directory rules for one image: the tree is gone through once, configuration is read once.
 * @returns for a host, the files that it may open, sorted by path
 */
export function lateFilesOf(
  tree: FileTree,
  rules: readonly LateRule[] = lateRules,
): (host: LateHost) => Promise<readonly LateFile[]> {
  const objects: string[] = [];
  const configurations: FileEntry[] = [];
  for (const entry of tree.entries()) {
    if (entry.type !== 'file') continue;
    if (entry.kind === 'elf' && object.test(entry.path)) objects.push(entry.path);
    else if (rules.some(({ selected }) => selected?.configuration.test(entry.path)))
      configurations.push(entry);
  }
  const selections = new Map<LateRule, Promise<ReadonlySet<string> | undefined>>();

  /** Names that configuration selects; undefined where everything is. */
  async function selection(rule: LateRule): Promise<ReadonlySet<string> | undefined> {
    const { selected } = rule;
    if (selected === undefined) return undefined;
    const names = new Set<string>();
    let readable = 0;
    for (const entry of configurations.slice(0, maximumConfigurations)) {
      if (!selected.configuration.test(entry.path)) continue;
      if (entry.digest === undefined || entry.size > maximumConfiguration) return undefined;
      readable += 1;
      const text = new TextDecoder().decode(await tree.read(entry));
      for (const match of text.matchAll(selected.names)) names.add(moduleName(match[1] ?? ''));
    }
    if (configurations.length > maximumConfigurations) return undefined;
    return readable === 0 && selected.otherwise === 'all' ? undefined : names;
  }

  return async ({ program, sonames }) => {
    const found = new Map<string, string>();
    for (const rule of rules) {
      const holds =
        rule.program?.test(program) === true || sonames.some((soname) => rule.soname?.test(soname) === true);
      if (!holds) continue;
      if (!selections.has(rule)) selections.set(rule, selection(rule));
      const names = await selections.get(rule);
      const home = `${posix.dirname(posix.dirname(program))}/`.replace('//', '/');
      for (const path of objects) {
        if (found.has(path) || !rule.files.test(path)) continue;
        if (rule.besideProgram && !path.startsWith(home)) continue;
        if (names !== undefined && !names.has(moduleName(path))) continue;
        found.set(path, rule.reason);
      }
    }
    return [...found].map(([path, reason]) => ({ path, reason })).sort((a, b) => (a.path < b.path ? -1 : 1));
  };
}
