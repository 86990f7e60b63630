import { posix } from 'node:path';
import type { FileTree } from '@prof-gen/core';
import type { Node } from 'web-tree-sitter';
import { childrenOf, namedChildrenOf } from './shell-grammar.js';
import { escapePattern, expandPath, hasPattern, removeAffix, unescapePattern } from './shell-pattern.js';
import { distinctLists, maximumLists, type ShellState, variable, type Words } from './shell-state.js';
import { anyOf, concatValues, constant, mapValue, unknown, type Value } from './value.js';

/** What expansion needs to know beside the state. */
export interface ExpandContext {
  readonly tree: FileTree;
  readonly state: ShellState;
  /** `$0` and `$BASH_SOURCE`. */
  readonly script: string;
  /** Output of a command substitution, where that is constant. */
  output(substitution: Node, state: ShellState): Value;
}

const pairs: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

/** Backslashes of unquoted text: a line continuation vanishes, any other is quoting. */
function unquotedWord(text: string, pattern: boolean): string {
  const joined = text.replace(/\\\n/g, '');
  return pattern ? joined : joined.replace(/\\(.)/gs, '$1');
}

function doubleQuoted(text: string): string {
  return text.replace(/\\\n/g, '').replace(/\\([$`"\\])/g, '$1');
}

/**
 * The value of a word taken as one string.
 * @param pattern give it as a pattern: quoted parts escaped, unquoted ones as written
 */
export function valueOf(node: Node, context: ExpandContext, pattern = false): Value {
  const literal = (text: string): Value => constant(pattern ? escapePattern(text) : text);
  switch (node.type) {
    case 'word':
    case 'number':
    case 'extglob_pattern':
    case 'regex':
    case 'test_operator':
    case 'variable_name':
      return node.childCount > 0
        ? concatValues(childrenOf(node).map((child) => valueOf(child, context, pattern)))
        : constant(unquotedWord(node.text, pattern));
    case 'raw_string':
      return literal(node.text.slice(1, -1));
    case 'ansi_c_string':
      return literal(node.text.slice(2, -1).replace(/\\(.)/gs, (whole, c: string) => pairs[c] ?? whole));
    case 'translated_string':
    case 'string': {
      const value = stringValue(node, context);
      return pattern ? mapValue(value, escapePattern) : value;
    }
    case 'concatenation':
    case 'command_name':
      return concatValues(childrenOf(node).map((child) => valueOf(child, context, pattern)));
    case 'simple_expansion': {
      const name = node.namedChild(0);
      return name === null ? constant('$') : parameter(name.text, context);
    }
    case 'expansion':
      return expansion(node, context);
    case 'command_substitution':
      return context.output(node, context.state);
    default:
      return unknown;
  }
}

/** Text between the parts of a double-quoted string is not in the tree as nodes: blanks are left out there. */
function stringValue(node: Node, context: ExpandContext): Value {
  const source = node.text;
  const start = node.startIndex;
  const parts: Value[] = [];
  let at = source.indexOf('"') + 1;
  for (const child of namedChildrenOf(node)) {
    const from = child.startIndex - start;
    if (from > at) parts.push(constant(doubleQuoted(source.slice(at, from))));
    parts.push(
      child.type === 'string_content' ? constant(doubleQuoted(child.text)) : valueOf(child, context),
    );
    at = child.endIndex - start;
  }
  const end = source.endsWith('"') ? source.length - 1 : source.length;
  if (end > at) parts.push(constant(doubleQuoted(source.slice(at, end))));
  return concatValues(parts);
}

function argumentValue(index: number, { state }: ExpandContext): Value {
  if (state.args === undefined) return unknown;
  // A word that may be several leaves open what comes after the last.
  const words = state.args.map((list) =>
    index < list.length || list.includes(undefined) ? list[index] : '',
  );
  return words.some((word) => word === undefined) ? unknown : anyOf(words as string[], state.argsSure);
}

function parameter(name: string, context: ExpandContext): Value {
  const { state } = context;
  if (/^[1-9]\d*$/.test(name)) return argumentValue(Number(name) - 1, context);
  switch (name) {
    case '0':
    case 'BASH_SOURCE':
      return constant(context.script);
    case '#':
      return state.args === undefined || state.args.some((list) => list.includes(undefined))
        ? unknown
        : anyOf(
            state.args.map((list) => String(list.length)),
            state.argsSure,
          );
    case '@':
    case '*':
      return state.args === undefined || state.args.some((list) => list.includes(undefined))
        ? unknown
        : anyOf(
            state.args.map((list) => list.join(' ')),
            state.argsSure,
          );
    case '?':
    case '$':
    case '!':
    case '-':
    case '_':
    case 'RANDOM':
    case 'LINENO':
    case 'SECONDS':
    case 'PPID':
    case 'UID':
    case 'EUID':
    case 'HOSTNAME':
      return unknown;
    case 'PWD':
      return state.cwd === undefined ? unknown : constant(state.cwd);
    default: {
      const array = state.arrays.get(name);
      if (array === undefined) return variable(state, name);
      const first = array.map((list) => (list.length === 0 ? '' : list[0]));
      return first.some((word) => word === undefined) ? unknown : anyOf(first as string[], false);
    }
  }
}

interface ExpansionParts {
  readonly name: string;
  readonly index: string | undefined;
  /** The operator before the name: `#` or `!`. */
  readonly prefix: string | undefined;
  readonly operator: string | undefined;
  readonly rest: readonly Node[];
}

function expansionParts(node: Node): ExpansionParts {
  let name: string | undefined;
  let index: string | undefined;
  let prefix: string | undefined;
  let operator: string | undefined;
  const rest: Node[] = [];
  for (const child of childrenOf(node)) {
    if (child.type === '${' || child.type === '}') continue;
    if (name === undefined && child.isNamed && child.type === 'subscript') {
      name = child.childForFieldName('name')?.text ?? '';
      index = child.childForFieldName('index')?.text ?? '';
    } else if (name === undefined && child.isNamed) name = child.text;
    else if (name === undefined) prefix = child.text;
    else if (operator === undefined && !child.isNamed) operator = child.text;
    else rest.push(child);
  }
  return { name: name ?? '', index, prefix, operator, rest };
}

function expansion(node: Node, context: ExpandContext): Value {
  const { name, index, prefix, operator, rest } = expansionParts(node);
  if (prefix === '!' && operator === undefined && index === undefined) {
    const target = parameter(name, context);
    if (target.alternatives?.length !== 1) return unknown;
    return parameter(target.alternatives[0] as string, context);
  }
  if (prefix === '#' && operator === undefined && index === undefined && name !== '@' && name !== '*') {
    return mapValue(parameter(name, context), (text) => String(text.length));
  }
  if (prefix !== undefined) return unknown;
  let value: Value;
  if (index === undefined) value = parameter(name, context);
  else if (name === 'BASH_SOURCE' && index === '0') value = constant(context.script);
  else {
    const list = context.state.arrays.get(name);
    const words =
      list === undefined
        ? undefined
        : index === '@' || index === '*'
          ? list.map((words) => (words.includes(undefined) ? undefined : words.join(' ')))
          : /^\d+$/.test(index)
            ? list.map((words) => (Number(index) < words.length ? words[Number(index)] : ''))
            : undefined;
    value =
      words === undefined || words.some((word) => word === undefined)
        ? unknown
        : anyOf(words as string[], false);
  }
  if (operator === undefined) return value;
  const operand = (pattern: boolean): Value =>
    rest.length === 0 ? constant('') : concatValues(rest.map((part) => valueOf(part, context, pattern)));
  switch (operator) {
    case ':-':
    case ':=':
    case '-':
    case '=': {
      const given = operand(false);
      const isSet = context.state.variables.has(name) || /^\d+$|^[@*]$/.test(name);
      const keepsEmpty = !operator.startsWith(':') && isSet;
      if (value.alternatives === undefined || keepsEmpty) return value;
      if (!value.alternatives.includes('')) return value;
      if (given.alternatives === undefined) return unknown;
      const result = anyOf(
        [...value.alternatives.filter((text) => text !== ''), ...given.alternatives],
        value.sure && given.sure,
      );
      if (operator.includes('=') && /^[A-Za-z_]/.test(name)) context.state.variables.set(name, result);
      return result;
    }
    case ':+':
    case '+': {
      const given = operand(false);
      if (given.alternatives === undefined) return unknown;
      return anyOf(['', ...given.alternatives], false);
    }
    case ':?':
    case '?':
      return value;
    case '#':
    case '##':
    case '%':
    case '%%': {
      const pattern = operand(true);
      if (value.alternatives === undefined || pattern.alternatives?.length !== 1) return unknown;
      const cut = value.alternatives.map((text) =>
        removeAffix(text, pattern.alternatives?.[0] as string, operator),
      );
      return cut.some((text) => text === undefined)
        ? unknown
        : anyOf(cut as string[], value.sure && pattern.sure);
    }
    case ':': {
      // ${name:offset:length}
      const [offset, length] = rest.filter((part) => part.isNamed).map((part) => Number(part.text));
      if (offset === undefined || !(offset >= 0) || (length !== undefined && !(length >= 0))) return unknown;
      return mapValue(value, (text) =>
        text.slice(offset, length === undefined ? undefined : offset + length),
      );
    }
    default:
      return unknown;
  }
}

/** The argument list that a node stands for by itself: `"$@"`, `$*`, `"${array[@]}"`, `"${@:2}"`. */
function listsOf(node: Node, { state }: ExpandContext): readonly Words[] | undefined {
  if (node.type === 'simple_expansion') {
    const name = node.namedChild(0)?.text;
    return name === '@' || name === '*' ? (state.args ?? [[undefined]]) : undefined;
  }
  if (node.type !== 'expansion') return undefined;
  const { name, index, prefix, operator, rest } = expansionParts(node);
  if (prefix !== undefined) return undefined;
  const whole =
    name === '@' || name === '*'
      ? (state.args ?? [[undefined]])
      : index === '@' || index === '*'
        ? (state.arrays.get(name) ?? [[]])
        : undefined;
  if (whole === undefined || operator === undefined) return whole;
  const from = rest.length === 1 ? rest[0]?.text : undefined;
  if (operator !== ':' || from === undefined || !/^\d+$/.test(from)) return [[undefined]];
  const first = name === '@' || name === '*' ? Math.max(0, Number(from) - 1) : Number(from);
  return whole.map((list) => list.slice(first));
}

/** The words that one node of a command becomes: several lists where it may be one or another. */
export function fieldsOf(node: Node, context: ExpandContext): readonly Words[] {
  if (node.type === 'command_name' && node.childCount === 1) return fieldsOf(node.child(0) as Node, context);
  if (node.type === 'string') {
    const only = namedChildrenOf(node);
    if (only.length === 1 && only[0] && only[0].endIndex - only[0].startIndex === node.text.length - 2) {
      const isStar = /^\$(\*|\{\*|\{\w+\[\*\])/.test(only[0].text);
      const lists = isStar ? undefined : listsOf(only[0], context);
      if (lists !== undefined) return lists;
    }
  }
  const lists = listsOf(node, context);
  if (lists !== undefined) return lists;
  const isQuoted = ['string', 'raw_string', 'ansi_c_string', 'translated_string'].includes(node.type);
  if (isQuoted) {
    const { alternatives } = valueOf(node, context);
    return alternatives === undefined ? [[undefined]] : alternatives.map((text) => [text]);
  }
  const { alternatives } = valueOf(node, context, true);
  if (alternatives === undefined) return [[undefined]];
  const splits = node.type !== 'word' && node.type !== 'number' && /\$|`/.test(node.text);
  const { cwd } = context.state;
  return distinctLists(
    alternatives.map((text) => {
      // Expansion results come as they are: what they have of backslashes is data, and rare enough.
      const fields = splits ? text.split(/[ \t\n]+/).filter((field) => field !== '') : [text];
      return fields.flatMap((field): Words => {
        if (!hasPattern(field)) return [unescapePattern(field)];
        return cwd === undefined && !field.startsWith('/')
          ? [undefined]
          : expandPath(context.tree, cwd ?? '/', field);
      });
    }),
  );
}

/**
 * Every command line that a row of nodes may become.
 * @returns `complete` is false where there were more than are kept
 */
export function wordLists(
  nodes: readonly Node[],
  context: ExpandContext,
): { readonly lists: readonly Words[]; readonly complete: boolean } {
  let lists: readonly Words[] = [[]];
  let complete = true;
  for (const node of nodes) {
    const fields = fieldsOf(node, context);
    const before = lists;
    lists = distinctLists(fields.flatMap((after) => before.map((words) => [...words, ...after])));
    if (lists.length > maximumLists) {
      lists = lists.slice(0, maximumLists);
      complete = false;
    }
  }
  return { lists, complete };
}

/** `/a/b` from a working directory and a path as a command has it. */
export function absolutePath(cwd: string | undefined, path: string): string | undefined {
  if (path.startsWith('/')) return posix.normalize(path);
  return cwd === undefined ? undefined : posix.normalize(`${cwd}/${path}`);
}
