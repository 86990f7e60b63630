import { posix } from 'node:path';
import type { FileTree } from '@prof-gen/core';
import type { Node } from 'web-tree-sitter';
import { absolutePath, type ExpandContext, wordLists } from './expand.js';
import { namedChildrenOf } from './shell-grammar.js';
import { matchesPattern } from './shell-pattern.js';
import type { Words } from './shell-state.js';
import { anyOf, constant, joinValues, unknown, type Value } from './value.js';

/** What a command prints is read only where it depends on its words and the image's files alone. */
export interface OutputContext extends ExpandContext {
  /** Where a command name leads. */
  find(name: string): string | undefined;
}

/** Files looked at for one `find`. */
const maximumFiles = 5000;

/** Commands whose output is some of the lines of their input. */
const filters = new Set(['sort', 'uniq', 'cat', 'grep', 'egrep', 'head', 'tail', 'tac']);

/**
 * What `$( … )`, `` ` … ` `` or `<( … )` prints, without the last newline: its lines as alternatives.
 * Unknown for nearly everything.
 */
export function outputOf(node: Node, context: OutputContext): Value {
  const body = namedChildrenOf(node);
  return body.length === 1 && body[0] ? outputOfStatement(body[0], context) : unknown;
}

function outputOfStatement(node: Node, context: OutputContext): Value {
  switch (node.type) {
    case 'command':
      return outputOfCommand(node, context);
    case 'redirected_statement': {
      const body = node.childForFieldName('body');
      return body === null ? unknown : outputOfStatement(body, context);
    }
    case 'pipeline': {
      let lines: Value = unknown;
      for (const part of namedChildrenOf(node)) {
        lines = filterOutput(part, { ...context, state: { ...context.state, stdin: lines } });
      }
      return lines;
    }
    case 'list': {
      // $(cd "$(dirname "$0")" && pwd)
      const [left, right] = namedChildrenOf(node);
      if (left?.type !== 'command' || right?.type !== 'command') return unknown;
      const [cd, ...directory] = onlyWords(left, context) ?? [];
      if (cd !== 'cd' || onlyWords(right, context)?.[0] !== 'pwd') return unknown;
      const target = directory.filter((word) => word !== undefined && !/^-/.test(word))[0];
      const path = target === undefined ? undefined : absolutePath(context.state.cwd, target);
      return path === undefined ? unknown : realPath(path, context.tree);
    }
    default:
      return unknown;
  }
}

/** What a part of a pipe prints, its input being `state.stdin`. */
export function filterOutput(node: Node, context: OutputContext): Value {
  const words = node.type === 'command' ? onlyWords(node, context) : undefined;
  if (words?.[0] !== undefined && filters.has(posix.basename(words[0]))) {
    const { stdin } = context.state;
    return stdin.alternatives === undefined ? unknown : { ...stdin, sure: false };
  }
  return outputOfStatement(node, context);
}

function onlyWords(node: Node, context: OutputContext): Words | undefined {
  const nodes = namedChildrenOf(node).filter(({ type }) => !type.endsWith('_redirect'));
  if (nodes.some(({ type }) => type === 'variable_assignment')) return undefined;
  const { lists } = wordLists(nodes, context);
  return lists.length === 1 ? lists[0] : undefined;
}

function outputOfCommand(node: Node, context: OutputContext): Value {
  const nodes = namedChildrenOf(node).filter(({ type }) => !type.endsWith('_redirect'));
  if (nodes.some(({ type }) => type === 'variable_assignment')) return unknown;
  const { lists, complete } = wordLists(nodes, context);
  if (!complete || lists.length === 0) return unknown;
  return lists.map((words) => outputOfWords(words, context)).reduce(joinValues);
}

function realPath(path: string, tree: FileTree): Value {
  const found = tree.resolve(path);
  return anyOf([found.ok ? found.entry.path : path], false);
}

function outputOfWords(words: Words, context: OutputContext): Value {
  if (words.length === 0 || words.includes(undefined)) return unknown;
  const [name, ...args] = words as string[];
  const operands = args.filter((word) => !/^-./.test(word));
  const [first] = operands;
  switch (posix.basename(name as string)) {
    case 'echo':
      return args.some((word) => /^-[neE]+$/.test(word))
        ? constant(operands.join(' '))
        : constant(args.join(' '));
    case 'printf':
      if (args.length === 1 && !/[%\\]/.test(args[0] as string)) return constant(args[0] as string);
      return /^%s(\\n)?$/.test(args[0] ?? '') && args.length > 1
        ? anyOf(args.slice(1), args.length === 2)
        : unknown;
    case 'basename':
      if (first === undefined || operands.length > 2) return unknown;
      return constant(posix.basename(first, operands[1]));
    case 'dirname':
      return first === undefined ? unknown : constant(posix.dirname(first));
    case 'pwd':
      return context.state.cwd === undefined ? unknown : constant(context.state.cwd);
    case 'readlink':
    case 'realpath': {
      const path = first === undefined ? undefined : absolutePath(context.state.cwd, first);
      return path === undefined ? unknown : realPath(path, context.tree);
    }
    case 'command':
    case 'type':
    case 'which': {
      const looksUp = name === 'which' || args[0] === '-v' || args[0] === '-p' || args[0] === '-P';
      const path = looksUp && first !== undefined ? context.find(first) : undefined;
      return path === undefined ? unknown : anyOf([path], false);
    }
    case 'find':
      return found(args, context);
    case 'ls': {
      const path = first === undefined ? undefined : absolutePath(context.state.cwd, first);
      if (path === undefined || operands.length !== 1) return unknown;
      const target = context.tree.resolve(path);
      if (!target.ok || target.entry.type !== 'directory') return anyOf([path], false);
      return anyOf(
        context.tree.list(path).map((entry) => posix.basename(entry.path)),
        false,
      );
    }
    default:
      return unknown;
  }
}

/** Names that `find` prints for directories and the conditions that narrow it; every other is as if it held. */
function found(args: readonly string[], { state, tree }: OutputContext): Value {
  const firstTest = args.findIndex((word, i) => /^[-(!]/.test(word) && !(i === 0 && /^-[HLP]$/.test(word)));
  const roots = args
    .slice(0, firstTest < 0 ? args.length : firstTest)
    .filter((word) => !/^-[HLP]$/.test(word));
  const negated = args.some((word) => ['!', '-not', '-o', '-or', '('].includes(word));
  const after = (name: string): string | undefined => {
    const at = args.indexOf(name);
    return at < 0 || negated ? undefined : args[at + 1];
  };
  const name = after('-name');
  const type = after('-type');
  const lines: string[] = [];
  let looked = 0;
  for (const root of roots.length > 0 ? roots : ['.']) {
    const start = absolutePath(state.cwd, root);
    if (start === undefined) return unknown;
    const queue = [{ at: start, shown: root }];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      looked += 1;
      if (looked > maximumFiles) return unknown;
      const target = tree.resolve(next.at);
      if (!target.ok) continue;
      const isDirectory = target.entry.type === 'directory';
      const matches = name === undefined || matchesPattern(name, posix.basename(next.at)) !== false;
      if (matches && (type === undefined || (type === 'd') === isDirectory)) lines.push(next.shown);
      // A link to a directory may lead upwards: find does not follow it unless told, and here never.
      if (!isDirectory || (tree.lookup(next.at)?.type ?? 'directory') === 'symlink') continue;
      for (const entry of tree.list(next.at)) {
        const base = posix.basename(entry.path);
        queue.push({ at: `${next.at}/${base}`, shown: `${next.shown.replace(/\/$/, '')}/${base}` });
      }
    }
  }
  return anyOf(lines.sort(), false);
}
