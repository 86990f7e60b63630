import type { Digest, FileType } from '@prof-gen/core';
import { emptyDirectory, type LayerNode } from '../tree/tree-node.js';
import type { FileKind } from './keep-policy.js';

/** What is known of a layer once it was read; kept in the cache by the digest of the uncompressed tar. */
export interface LayerIndex {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly entries: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly root: LayerNode;
}

type Attributes = readonly [type: FileType, mode: number, uid: number, gid: number, size: number];
type Extras = { t?: string; d?: string; k?: FileKind; i?: 1; o?: 1; w?: string[] };
type Row = readonly [path: string, attributes: Attributes, extras?: Extras];

/** JSON with one row a name, sorted, so that equal layers make equal files. */
export function encodeLayerIndex(index: LayerIndex): string {
  const rows: Row[] = [];
  const visit = (path: string, node: LayerNode): void => {
    const extras: Extras = {
      ...(node.target === undefined ? {} : { t: node.target }),
      ...(node.digest === undefined ? {} : { d: node.digest }),
      ...(node.kind === undefined ? {} : { k: node.kind }),
      ...(node.implicit === true ? { i: 1 as const } : {}),
      ...(node.opaque === true ? { o: 1 as const } : {}),
      ...(node.whiteouts === undefined ? {} : { w: [...node.whiteouts].sort() }),
    };
    const attributes: Attributes = [node.type, node.mode, node.uid, node.gid, node.size];
    rows.push(Object.keys(extras).length === 0 ? [path, attributes] : [path, attributes, extras]);
    for (const name of [...(node.children?.keys() ?? [])].sort()) {
      visit(`${path}/${name}`, node.children?.get(name) as LayerNode);
    }
  };
  visit('', index.root);
  const { diffId, size, entries, bytes } = index;
  return `${JSON.stringify({ diffId, size, entries, bytes, rows: rows.length })}\n${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
}

/** @returns undefined for what is not a complete index, such as a file cut short by a loss of power */
export function decodeLayerIndex(text: string): LayerIndex | undefined {
  try {
    const [head, ...lines] = text.split('\n');
    const { diffId, size, entries, bytes, rows } = JSON.parse(head ?? '') as Omit<LayerIndex, 'root'> & {
      rows: number;
    };
    if (lines.length !== rows + 1 || lines.pop() !== '') return undefined;
    const directories = new Map<string, LayerNode>();
    for (const line of lines) {
      const [path, [type, mode, uid, gid, fileSize], extras = {}] = JSON.parse(line) as Row;
      const node: LayerNode = {
        ...(type === 'directory' ? emptyDirectory(extras.i === 1) : {}),
        type,
        mode,
        uid,
        gid,
        size: fileSize,
        ...(extras.t === undefined ? {} : { target: extras.t }),
        ...(extras.d === undefined ? {} : { digest: extras.d as Digest }),
        ...(extras.k === undefined ? {} : { kind: extras.k }),
        ...(extras.o === 1 ? { opaque: true } : {}),
        ...(extras.w === undefined ? {} : { whiteouts: new Set(extras.w) }),
      };
      if (type === 'directory') directories.set(path, node);
      if (path === '') continue;
      const slash = path.lastIndexOf('/');
      const parent = directories.get(path.slice(0, slash))?.children;
      if (parent === undefined) return undefined;
      parent.set(path.slice(slash + 1), node);
    }
    const root = directories.get('');
    return root === undefined ? undefined : { diffId, size, entries, bytes, root };
  } catch {
    return undefined;
  }
}
