import { ProfGenError, printable } from '@prof-gen/core';
import type { ImageLimits } from '../limits/image-limits.js';
import { overLimit } from '../limits/image-limits.js';
import { encodeFileName } from '../tar/file-name.js';
import { emptyDirectory, type LayerNode } from '../tree/tree-node.js';

const whiteoutPrefix = '.wh.';

export function badEntry(name: string, why: string): ProfGenError {
  return new ProfGenError('archive/bad-entry', `the layer has an entry "${printable(name)}" that ${why}`, {
    hint: 'a container engine refuses such a layer too: do not trust where this image came from',
    details: { entry: printable(name) },
  });
}

type PathLimits = Pick<ImageLimits, 'depth' | 'pathBytes' | 'nameBytes'>;

/**
 * The components of a name in an archive. Absolute names are taken from the root of the image, as engines
 * do; `..` may go up inside the name but not out of it.
 * @throws ProfGenError `archive/bad-entry`, `archive/too-large`
 */
export function entryComponents(name: string, limits: PathLimits): readonly string[] {
  if (encodeFileName(name).length > limits.pathBytes)
    throw overLimit('pathBytes', limits.pathBytes, 'bytes of a path');
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) throw badEntry(name, 'leads out of the image');
      continue;
    }
    if (part.length * 3 > limits.nameBytes && encodeFileName(part).length > limits.nameBytes) {
      throw overLimit('nameBytes', limits.nameBytes, `bytes of the name "${printable(part, 40)}"`);
    }
    parts.push(part);
  }
  if (parts.length > limits.depth) throw overLimit('depth', limits.depth, 'components of a path');
  return parts;
}

/**
 * One layer's own tree, made entry by entry as an engine unpacks it into an empty directory:
 * links of the same layer in the directory part are followed inside it, later entries replace earlier ones.
 */
export interface LayerBuilder {
  readonly root: LayerNode;
  /** @throws ProfGenError `archive/bad-entry`, `archive/too-large` */
  add(name: string, node: LayerNode): void;
  hardLink(name: string, target: string): void;
  /** Handles `.wh.…` names. @returns false when `name` is not one */
  whiteout(name: string): boolean;
  /** A whiteout in overlayfs' own form: a character device 0:0. */
  hide(name: string): void;
}

type Directory = LayerNode & { children: Map<string, LayerNode> };

function isDirectory(node: LayerNode): node is Directory {
  return node.children !== undefined;
}

export function layerBuilder(limits: PathLimits): LayerBuilder {
  const root: Directory = emptyDirectory(true);

  /** The directory that `components` name, made where it is missing. */
  function directoryAt(components: readonly string[], name: string): Directory {
    let stack: Directory[] = [root];
    const todo = [...components].reverse();
    let links = 0;
    while (todo.length > 0) {
      const part = todo.pop() as string;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const here = stack.at(-1) ?? root;
      const child = here.children.get(part);
      if (child === undefined) {
        if (stack.length > limits.depth) throw overLimit('depth', limits.depth, 'components of a path');
        const made = emptyDirectory(true);
        here.children.set(part, made);
        stack.push(made);
      } else if (isDirectory(child)) {
        stack.push(child);
      } else if (child.type === 'symlink') {
        links += 1;
        if (links > 40) throw badEntry(name, 'lies below a cycle of links');
        const target = child.target ?? '';
        if (target.startsWith('/')) stack = [root];
        todo.push(...target.split('/').reverse());
        if (todo.length > 8 * limits.depth) throw overLimit('depth', limits.depth, 'components of a path');
      } else {
        throw badEntry(name, 'lies below something that is not a directory');
      }
    }
    return stack.at(-1) ?? root;
  }

  function place(name: string): { directory: Directory; base: string } | undefined {
    const components = entryComponents(name, limits);
    const base = components.at(-1);
    if (base === undefined) return undefined;
    return { directory: directoryAt(components.slice(0, -1), name), base };
  }

  function describeRoot(name: string, node: LayerNode): void {
    if (!isDirectory(node)) throw badEntry(name, 'replaces the root directory');
    const { mode, uid, gid } = node;
    Object.assign(root, { mode, uid, gid, implicit: false });
  }

  function hideIn(directory: Directory, base: string): void {
    directory.whiteouts ??= new Set();
    directory.whiteouts.add(base);
  }

  return {
    root,
    add(name, node) {
      const where = place(name);
      if (where === undefined) {
        describeRoot(name, node);
        return;
      }
      const existing = where.directory.children.get(where.base);
      if (existing !== undefined && isDirectory(existing) && isDirectory(node)) {
        const { mode, uid, gid } = node;
        Object.assign(existing, { mode, uid, gid, implicit: false });
      } else {
        where.directory.children.set(where.base, node);
      }
    },
    hardLink(name, target) {
      const components = entryComponents(target, limits);
      const base = components.at(-1);
      const found =
        base === undefined ? undefined : directoryAt(components.slice(0, -1), name).children.get(base);
      if (found === undefined)
        throw badEntry(name, `is a hard link to "${printable(target)}", which its layer lacks`);
      if (isDirectory(found)) throw badEntry(name, 'is a hard link to a directory');
      const where = place(name);
      if (where === undefined) throw badEntry(name, 'replaces the root directory');
      where.directory.children.set(where.base, found);
    },
    whiteout(name) {
      const slash = name.lastIndexOf('/');
      const base = name.slice(slash + 1);
      if (!base.startsWith(whiteoutPrefix)) return false;
      const parent = entryComponents(name.slice(0, slash + 1), limits);
      const hidden = base.slice(whiteoutPrefix.length);
      if (hidden === '.wh..opq') {
        directoryAt(parent, name).opaque = true;
      } else if (!hidden.startsWith(whiteoutPrefix)) {
        // Other names in .wh..wh. are AUFS' own book-keeping and mean nothing to anyone else.
        if (hidden === '' || hidden === '.' || hidden === '..')
          throw badEntry(name, 'is a whiteout of no name');
        hideIn(directoryAt(parent, name), hidden);
      }
      return true;
    },
    hide(name) {
      const where = place(name);
      if (where === undefined) throw badEntry(name, 'replaces the root directory');
      where.directory.children.delete(where.base);
      hideIn(where.directory, where.base);
    },
  };
}
