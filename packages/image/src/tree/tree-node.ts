import type { FileEntry } from '@prof-gen/core';

/** A name in a layer or in a merged tree; the path is known from where it hangs. */
export interface TreeNode extends Omit<FileEntry, 'path'> {
  /** Set for directories alone. */
  readonly children?: Map<string, TreeNode>;
}

/** What a layer says about a directory beyond its children. */
export interface LayerNode extends TreeNode {
  readonly children?: Map<string, LayerNode>;
  /** Made because something below it was named; its attributes are those of the layer underneath. */
  implicit?: boolean;
  /** Hides everything the layers underneath have here (`.wh..wh..opq`). */
  opaque?: boolean;
  /** Names that the layers underneath lose (`.wh.NAME`). */
  whiteouts?: Set<string>;
}

export function emptyDirectory(implicit: boolean): LayerNode & { children: Map<string, LayerNode> } {
  return {
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    children: new Map(),
    ...(implicit ? { implicit } : {}),
  };
}
