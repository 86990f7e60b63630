import { emptyDirectory, type LayerNode, type TreeNode } from './tree-node.js';

/**
 * Layers, lowest first, as one file system: what overlayfs shows, and so what a container sees.
 * Directories merge; anything else replaces what is below it, a link to a directory too.
 * Whiteouts hide only what lower layers have (OCI image specification, layer.md).
 */
export function mergeLayers(layers: readonly LayerNode[]): TreeNode {
  let root: TreeNode = emptyDirectory(false);
  for (const layer of layers) root = merged(root, layer);
  return root;
}

/** Never changes its arguments: layers are shared between images. */
function merged(lower: TreeNode | undefined, upper: LayerNode): TreeNode {
  if (upper.children === undefined) return upper;
  const below = lower?.children === undefined || upper.opaque === true ? undefined : lower;
  const attributes = upper.implicit === true && lower?.children !== undefined ? lower : upper;
  const children = new Map<string, TreeNode>(below?.children);
  for (const name of upper.whiteouts ?? []) children.delete(name);
  for (const [name, child] of upper.children) children.set(name, merged(children.get(name), child));
  const { type, mode, uid, gid, size } = attributes;
  return { type, mode, uid, gid, size, children };
}
