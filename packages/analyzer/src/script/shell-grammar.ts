import { createRequire } from 'node:module';
import { ProfGenError } from '@prof-gen/core';
import { Language, type Node, Parser, type Tree } from 'web-tree-sitter';

let parser: Promise<Parser> | undefined;

/** One parser for the whole process: parsing is synchronous, so callers cannot meet in it. */
function shellParser(): Promise<Parser> {
  parser ??= (async () => {
    await Parser.init();
    const grammar = createRequire(import.meta.url).resolve('tree-sitter-bash/tree-sitter-bash.wasm');
    const made = new Parser();
    made.setLanguage(await Language.load(grammar));
    return made;
  })();
  return parser;
}

/**
 * Parses a shell script; the grammar is bash's, of which the POSIX shell's is a part. What it does not
 * understand stands in the tree as ERROR nodes. The caller frees the tree with `delete()`.
 */
export async function parseShell(text: string): Promise<Tree> {
  const tree = (await shellParser()).parse(text);
  if (tree === null) throw new ProfGenError('internal/shell-parser', 'the shell parser gave no tree');
  return tree;
}

/** Children that are not comments, anonymous ones included. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let i = 0; i < node.childCount; i++) {
    const child = node.child(i);
    if (child !== null && child.type !== 'comment') children.push(child);
  }
  return children;
}

export function namedChildrenOf(node: Node): Node[] {
  return childrenOf(node).filter((child) => child.isNamed);
}

/** Whether the tree is nested deeper than `limit`; found without recursion, which such a tree is made to break. */
export function isDeeperThan(tree: Tree, limit: number): boolean {
  const cursor = tree.walk();
  try {
    let depth = 0;
    for (;;) {
      if (cursor.gotoFirstChild()) {
        depth += 1;
        if (depth > limit) return true;
        continue;
      }
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) return false;
        depth -= 1;
      }
    }
  } finally {
    cursor.delete();
  }
}
