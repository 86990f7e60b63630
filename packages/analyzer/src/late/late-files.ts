import { posix } from 'node:path';
import type { FileEntry, FileTree } from '@prof-gen/core';
import type { AskedNames } from '../link/bind-symbols.js';
import { imageObjects, type ObjectPath } from './image-objects.js';
import { type LateRule, lateRules, type ModuleConfiguration } from './late-rules.js';

/** A file that a rule says a program may open. */
export interface LateFile {
  /** In the image, or a name for the loader to look for. */
  readonly path: string;
  readonly reason: string;
  /** What its host asks of it, where that is known. */
  readonly asked?: AskedNames | undefined;
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

/** Name of a module without directory, `lib`, suffix and version: what configuration may call it. */
function moduleName(path: string): string {
  return posix.basename(path).replace(/\.so(\.[\d.]+)?$/, '');
}

/** A name from configuration that may be given to the loader: no path of the image's making. */
const loadable = /^[\w+.-]{1,128}$/;

/** Configuration that is at hand and not switched on; a link in an `-enabled` directory leads to what is. */
const unused = /\/(mods|modules|conf|sites)-available\//;

/**
 * The directory rules for one image: the tree is gone through once, configuration is read once.
 * @param objects the image's shared objects; a rule's directory may hold links to them
 * @returns for a host, the files that it may open, sorted by path
 */
export function lateFilesOf(
  tree: FileTree,
  objects: readonly ObjectPath[] = imageObjects(tree).paths,
  rules: readonly LateRule[] = lateRules,
): (host: LateHost) => Promise<readonly LateFile[]> {
  const patterns = rules.flatMap(({ selected, named }) => [
    ...(selected?.configurations ?? []),
    ...(named === undefined ? [] : [named]),
  ]);
  /** By the path that configuration is found under: it may be a link to what is switched on. */
  const configurations = new Map<string, FileEntry>();
  for (const entry of tree.entries()) {
    if (entry.type === 'directory' || unused.test(entry.path)) continue;
    if (!patterns.some(({ file }) => file.test(entry.path))) continue;
    const found = tree.resolve(entry.path);
    if (found.ok && found.entry.type === 'file') configurations.set(entry.path, found.entry);
  }

  /** Names that configuration has, and how many files there are; undefined where one cannot be read. */
  async function namesIn(configuration: ModuleConfiguration) {
    const names = new Set<string>();
    let files = 0;
    for (const [path, entry] of configurations) {
      if (!configuration.file.test(path)) continue;
      files += 1;
      if (entry.digest === undefined || entry.size > maximumConfiguration) return undefined;
      if (files > maximumConfigurations) return undefined;
      const text = new TextDecoder().decode(await tree.read(entry));
      for (const match of text.matchAll(configuration.names)) names.add(match[1] ?? '');
    }
    return { names, files };
  }

  /** The files of the image that a rule opens, whoever the host is. */
  async function candidates(rule: LateRule): Promise<readonly ObjectPath[]> {
    const { files, selected, named } = rule;
    const opened: ObjectPath[] = [];
    if (named !== undefined) {
      for (const name of (await namesIn(named))?.names ?? [])
        if (loadable.test(name)) opened.push({ path: name, real: name });
    }
    if (files === undefined) return opened;
    let names: Set<string> | undefined;
    if (selected !== undefined) {
      const found = await Promise.all(selected.configurations.map(namesIn));
      const read = found.filter((one) => one !== undefined);
      const isMissing = selected.otherwise === 'all' && read.every((one) => one.files === 0);
      if (read.length === found.length && !isMissing) {
        names = new Set(read.flatMap((one) => [...one.names].map(moduleName)));
      }
    }
    const isSelected = (path: string): boolean => names === undefined || names.has(moduleName(path));
    return [...opened, ...objects.filter(({ path }) => files.test(path) && isSelected(path))];
  }
  const known = new Map<LateRule, Promise<readonly ObjectPath[]>>();

  return async ({ program, sonames }) => {
    const found = new Map<string, LateRule>();
    const home = `${posix.dirname(posix.dirname(program))}/`.replace('//', '/');
    for (const rule of rules) {
      const holds =
        rule.program?.test(program) === true || sonames.some((soname) => rule.soname?.test(soname) === true);
      if (!holds) continue;
      const opened = known.get(rule) ?? candidates(rule);
      known.set(rule, opened);
      for (const { path, real } of await opened) {
        if (found.has(real) || (rule.besideProgram && !path.startsWith(home))) continue;
        found.set(real, rule);
      }
    }
    return [...found]
      .map(([path, { reason, asked }]) => ({ path, reason, ...(asked && { asked }) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  };
}
