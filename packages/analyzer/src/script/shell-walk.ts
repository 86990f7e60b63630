import { type FileTree, printable } from '@prof-gen/core';
import type { Node, Tree } from 'web-tree-sitter';
import { testCommandTruth, testTruth } from './condition.js';
import { absolutePath, type ExpandContext, fieldsOf, valueOf, wordLists } from './expand.js';
import { filterOutput, type OutputContext, outputOf } from './output.js';
import { isBuiltin, type ShellDialect } from './shell-builtins.js';
import { childrenOf, isDeeperThan, namedChildrenOf, parseShell } from './shell-grammar.js';
import { matchesPattern } from './shell-pattern.js';
import {
  copyState,
  doubtState,
  mergeState,
  type ShellFunction,
  type ShellState,
  variable,
  widenState,
  type Word,
  type Words,
} from './shell-state.js';
import { anyOf, concatValues, constant, unknown, unset, type Value } from './value.js';

/** What surrounds a command that a script starts. */
interface CommandContext {
  readonly script: string;
  readonly line: number;
  /** Environment it gets. */
  readonly env: ReadonlyMap<string, Value>;
  readonly cwd: string | undefined;
}

export interface ShellHost {
  readonly tree: FileTree;
  /** A command line that a script may start. */
  run(words: Words, context: CommandContext): Promise<void>;
  /** Something the script may start that cannot be told. */
  undecided(kind: 'command' | 'script', line: number, what: string, reason: string): void;
  /** Text of a file that the shell reads as commands; undefined where there is none, with the reason told. */
  source(path: string, line: number): Promise<string | undefined>;
  /** Where a command name leads on this PATH. */
  find(name: string, path: Value, cwd: string | undefined): string | undefined;
  /** Counts one step of work. @returns false when there have been too many */
  step(line: number): boolean;
}

export interface ShellScript {
  readonly text: string;
  /** File in the image that the text comes from. */
  readonly file: string;
  /** Line of `file` at which the text begins, 1 for a whole file. */
  readonly line: number;
  /** `$0`. */
  readonly name: string;
  readonly args: readonly Word[];
  readonly env: ReadonlyMap<string, Value>;
  readonly cwd: string | undefined;
  readonly dialect: ShellDialect;
}

/** Nesting of functions, sourced files and `eval` that is followed. */
const maximumDepth = 12;
/** Nesting of syntax; hostile scripts nest without end. */
const maximumNesting = 150;
/** Depth of a syntax tree; one command of a sane script is some twenty deep. */
const maximumTree = 300;

interface Frame {
  readonly host: ShellHost;
  readonly file: string;
  readonly name: string;
  readonly dialect: ShellDialect;
  /** Added to the line numbers of the parsed text. */
  readonly lineOffset: number;
  readonly depth: number;
  readonly calls: readonly string[];
  /** Freed at the end: functions point into them. */
  readonly trees: Tree[];
}

type Truth = boolean | undefined;

/**
 * Follows a shell script with a constant evaluator and tells the host of every command that it may start.
 * It over-approximates: branches are left out only where their condition is certain, both ways of the
 * others are followed and what holds after them is joined, loops are repeated until nothing changes.
 * Nothing is run. Source of the semantics: POSIX.1-2017 XCU 2 and bash(1).
 */
export async function walkShell(script: ShellScript, host: ShellHost): Promise<void> {
  const state: ShellState = {
    variables: new Map(script.env),
    exported: new Set(script.env.keys()),
    arrays: new Map(),
    args: [script.args],
    argsSure: true,
    functions: new Map(),
    cwd: script.cwd,
    stdin: unknown,
  };
  const frame: Frame = {
    host,
    file: script.file,
    name: script.name,
    dialect: script.dialect,
    lineOffset: script.line - 1,
    depth: 0,
    calls: [],
    trees: [],
  };
  try {
    await walkText(script.text, state, frame);
  } finally {
    for (const tree of frame.trees) tree.delete();
  }
}

async function walkText(text: string, state: ShellState, frame: Frame): Promise<Truth> {
  const tree = await parseShell(text);
  frame.trees.push(tree);
  if (isDeeperThan(tree, maximumTree)) {
    frame.host.undecided(
      'script',
      frame.lineOffset + 1,
      printable(frame.file),
      'nested too deeply to be followed',
    );
    doubtState(state);
    return undefined;
  }
  return statements(tree.rootNode, state, frame, 0);
}

function lineOf(node: Node, frame: Frame): number {
  return node.startPosition.row + 1 + frame.lineOffset;
}

function expandContext(state: ShellState, frame: Frame): ExpandContext {
  return {
    tree: frame.host.tree,
    state,
    script: frame.name,
    output: (node, at) => outputOf(node, outputContext(at, frame)),
  };
}

function outputContext(state: ShellState, frame: Frame): OutputContext {
  return {
    ...expandContext(state, frame),
    find: (name) => frame.host.find(name, searchPath(state), state.cwd),
  };
}

async function statements(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  let truth: Truth = true;
  for (const child of childrenOf(node)) {
    if (child.isNamed || child.type === 'ERROR') truth = await statement(child, state, frame, nesting + 1);
    else if (child.type === '&') truth = true;
  }
  return truth;
}

/** Walks a part that runs in a process of its own, or may not run: its effects are joined, or dropped. */
async function aside(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<void> {
  await statement(node, copyState(state), frame, nesting);
}

/** @returns whether it certainly succeeds or certainly fails */
async function statement(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const { host } = frame;
  if (!host.step(lineOf(node, frame))) return undefined;
  if (nesting > maximumNesting) {
    host.undecided(
      'script',
      lineOf(node, frame),
      'deeply nested commands',
      'nested too deeply to be followed',
    );
    return undefined;
  }
  switch (node.type) {
    case 'program':
    case 'compound_statement':
    case 'do_group':
      return statements(node, state, frame, nesting);
    case 'subshell':
      return statements(node, copyState(state), frame, nesting);
    case 'command':
      return command(node, state, frame, nesting);
    case 'redirected_statement':
      return redirected(node, state, frame, nesting);
    case 'declaration_command':
      await substitutions(node, state, frame, nesting);
      declare(node, state, frame);
      return undefined;
    case 'unset_command':
      for (const child of namedChildrenOf(node)) state.variables.delete(child.text);
      return true;
    case 'variable_assignment':
    case 'variable_assignments':
      await substitutions(node, state, frame, nesting);
      for (const one of node.type === 'variable_assignment' ? [node] : namedChildrenOf(node)) {
        assign(one, state, frame);
      }
      return undefined;
    case 'test_command':
      await substitutions(node, state, frame, nesting);
      return testTruth(node, expandContext(state, frame));
    case 'list':
      return list(node, state, frame, nesting);
    case 'negated_command': {
      let truth: Truth;
      for (const child of namedChildrenOf(node)) truth = await statement(child, state, frame, nesting + 1);
      return truth === undefined ? undefined : !truth;
    }
    case 'pipeline':
      return pipeline(node, state, frame, nesting);
    case 'if_statement':
      return conditional(node, state, frame, nesting);
    case 'case_statement':
      return caseOf(node, state, frame, nesting);
    case 'for_statement':
    case 'while_statement':
    case 'c_style_for_statement':
      return loop(node, state, frame, nesting);
    case 'function_definition': {
      const name = node.childForFieldName('name')?.text;
      const body = node.childForFieldName('body');
      if (name !== undefined && body !== null) {
        state.functions.set(name, { body, file: frame.file, lineOffset: frame.lineOffset });
      }
      return true;
    }
    case 'comment':
    case 'heredoc_body':
      await substitutions(node, state, frame, nesting);
      return undefined;
    case 'ERROR':
      host.undecided(
        'script',
        lineOf(node, frame),
        printable(node.text, 80),
        'the shell grammar does not understand this part',
      );
      await statements(node, state, frame, nesting);
      return undefined;
    default:
      // Words and whatever else has no meaning as a command: only what they substitute is run.
      await substitutions(node, state, frame, nesting);
      return undefined;
  }
}

/** Runs `$( )`, `` ` ` `` and `<( )` beneath a node, each in a process of its own. */
async function substitutions(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<void> {
  if (node.type === 'command_substitution' || node.type === 'process_substitution') {
    await statements(node, copyState(state), frame, nesting + 1);
    return;
  }
  if (nesting > maximumNesting || node.childCount === 0) return;
  for (const child of childrenOf(node)) await substitutions(child, state, frame, nesting + 1);
}

function assign(node: Node, state: ShellState, frame: Frame, extra?: Map<string, Value>): string {
  const context = expandContext(state, frame);
  const target = node.childForFieldName('name');
  const given = node.childForFieldName('value');
  const isAppend = childrenOf(node).some((child) => child.type === '+=');
  const name = (target?.type === 'subscript' ? target.childForFieldName('name') : target)?.text ?? '';
  if (target?.type === 'subscript') {
    state.arrays.set(name, [[undefined]]);
    return name;
  }
  if (given?.type === 'array') {
    const { lists } = wordLists(
      namedChildrenOf(given).filter((child) => child.type !== 'subscript'),
      context,
    );
    const before = isAppend ? (state.arrays.get(name) ?? [[]]) : [[]];
    state.arrays.set(name, before.flatMap((old) => lists.map((added) => [...old, ...added])).slice(0, 64));
    return name;
  }
  let value = given === null ? constant('') : valueOf(given, context);
  if (isAppend) value = concatValues([variable(state, name), value]);
  if (extra === undefined) {
    state.variables.set(name, value);
    state.arrays.delete(name);
  } else extra.set(name, value);
  return name;
}

function declare(node: Node, state: ShellState, frame: Frame): void {
  const keyword = node.child(0)?.type;
  const flags = namedChildrenOf(node).filter((child) => child.type === 'word');
  const exports = keyword === 'export' || flags.some((flag) => /^-\w*x/.test(flag.text));
  const resets = keyword === 'local' || keyword === 'declare' || keyword === 'typeset';
  for (const child of namedChildrenOf(node)) {
    let name: string | undefined;
    if (child.type === 'variable_assignment') name = assign(child, state, frame);
    else if (child.type === 'variable_name') {
      name = child.text;
      if (resets && !exports) state.variables.set(name, constant(''));
    } else if (child.type !== 'word') {
      // `export "$name"="$value"`: some variable, nobody knows which.
      const text = valueOf(child, expandContext(state, frame));
      if (text.alternatives === undefined) doubtState(state);
      for (const pair of text.alternatives ?? []) {
        const equals = pair.indexOf('=');
        if (equals > 0) state.variables.set(pair.slice(0, equals), anyOf([pair.slice(equals + 1)], false));
        if (exports) state.exported.add(equals > 0 ? pair.slice(0, equals) : pair);
      }
    }
    if (name !== undefined && exports) state.exported.add(name);
  }
}

async function list(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const children = childrenOf(node);
  const left = children[0];
  const right = children[children.length - 1];
  const operator = children.find((child) => child.type === '&&' || child.type === '||')?.type;
  if (left === undefined || right === undefined || operator === undefined) {
    return statements(node, state, frame, nesting);
  }
  const first = await statement(left, state, frame, nesting + 1);
  const isAnd = operator === '&&';
  if (first === !isAnd) return first;
  if (first === isAnd) return statement(right, state, frame, nesting + 1);
  const branch = copyState(state);
  const second = await statement(right, branch, frame, nesting + 1);
  mergeState(state, branch);
  if (isAnd) return second === false ? false : undefined;
  return second === true ? true : undefined;
}

async function pipeline(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const parts = namedChildrenOf(node);
  let stdin = state.stdin;
  for (const part of parts) {
    const own = { ...copyState(state), stdin };
    await statement(part, own, frame, nesting + 1);
    stdin = filterOutput(part, outputContext(own, frame));
  }
  return undefined;
}

async function redirected(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const before = state.stdin;
  const body = node.childForFieldName('body');
  for (const child of childrenOf(node)) {
    if (body !== null && child.id === body.id) continue;
    if (child.type === 'heredoc_redirect') {
      // `cmd <<EOF | other`: what follows the pipe stands inside the redirect.
      for (const part of namedChildrenOf(child)) {
        if (['pipeline', 'command', 'list', 'redirected_statement', 'while_statement'].includes(part.type)) {
          await aside(part, state, frame, nesting + 1);
        } else await substitutions(part, state, frame, nesting + 1);
      }
      state.stdin = unknown;
    } else {
      await substitutions(child, state, frame, nesting + 1);
      if (child.type === 'file_redirect' && child.text.startsWith('<')) {
        const from = namedChildrenOf(child).find((part) => part.type === 'process_substitution');
        state.stdin = from === undefined ? unknown : outputOf(from, outputContext(state, frame));
      }
    }
  }
  const truth = body === null ? undefined : await statement(body, state, frame, nesting + 1);
  state.stdin = before;
  return truth;
}

async function conditional(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  // if CONDITION then BODY [elif CONDITION then BODY]… [else BODY] fi
  interface Clause {
    readonly condition: Node[];
    readonly body: Node[];
  }
  const clauses: Clause[] = [];
  let otherwise: Node[] | undefined;
  const clauseOf = (parent: Node): Clause => {
    const condition: Node[] = [];
    const body: Node[] = [];
    let afterThen = false;
    for (const child of childrenOf(parent)) {
      if (child.type === 'then') afterThen = true;
      else if (child.type === 'elif_clause' || child.type === 'else_clause') continue;
      else if (child.isNamed) (afterThen ? body : condition).push(child);
    }
    return { condition, body };
  };
  clauses.push(clauseOf(node));
  for (const child of namedChildrenOf(node)) {
    if (child.type === 'elif_clause') clauses.push(clauseOf(child));
    if (child.type === 'else_clause') otherwise = namedChildrenOf(child);
  }
  const walk = async (nodes: readonly Node[], at: ShellState): Promise<Truth> => {
    let truth: Truth = true;
    for (const one of nodes) truth = await statement(one, at, frame, nesting + 1);
    return truth;
  };
  const ends: ShellState[] = [];
  let decided = false;
  for (const clause of clauses) {
    const truth = await walk(clause.condition, state);
    if (truth === false) continue;
    const branch = truth === true ? state : copyState(state);
    await walk(clause.body, branch);
    if (truth === true) {
      decided = true;
      break;
    }
    ends.push(branch);
  }
  if (!decided && otherwise !== undefined) await walk(otherwise, state);
  for (const end of ends) mergeState(state, end);
  return undefined;
}

async function caseOf(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const subject = node.childForFieldName('value');
  if (subject === null) return undefined;
  await substitutions(subject, state, frame, nesting);
  const value = valueOf(subject, expandContext(state, frame));
  const name = /^"?\$\{?([A-Za-z_]\w*)\}?"?$/.exec(subject.text)?.[1];
  const ends: ShellState[] = [];
  let left = value;
  let decided = false;
  for (const item of namedChildrenOf(node)) {
    if (item.type !== 'case_item') continue;
    const patterns: Node[] = [];
    const body: Node[] = [];
    let afterParen = false;
    for (const child of childrenOf(item)) {
      if (!afterParen && child.type === ')') afterParen = true;
      else if (child.isNamed) (afterParen ? body : patterns).push(child);
    }
    const texts = patterns.map((pattern) => valueOf(pattern, expandContext(state, frame), true));
    const matches = (text: string): Truth => {
      let truth: Truth = false;
      for (const pattern of texts) {
        if (pattern.alternatives === undefined || !pattern.sure) truth = truth === true ? true : undefined;
        for (const one of pattern.alternatives ?? []) {
          const match = matchesPattern(one, text);
          if (match === true && pattern.sure && pattern.alternatives?.length === 1) return true;
          if (match !== false) truth = undefined;
        }
      }
      return truth;
    };
    const candidates = left.alternatives?.filter((text) => matches(text) !== false);
    // With names that are all known, a branch that none of them takes is dead, if there can be no other name.
    if (candidates?.length === 0 && left.sure) continue;
    const allTaken = left.sure && left.alternatives?.every((text) => matches(text) === true) === true;
    const branch = allTaken ? state : copyState(state);
    if (name !== undefined && candidates !== undefined && candidates.length > 0) {
      branch.variables.set(name, anyOf(candidates, left.sure));
    }
    for (const one of body) await statement(one, branch, frame, nesting + 1);
    const fallsThrough = childrenOf(item).some((child) => child.type === ';&' || child.type === ';;&');
    if (allTaken && !fallsThrough) {
      decided = true;
      break;
    }
    ends.push(allTaken ? copyState(branch) : branch);
    if (left.alternatives !== undefined && !fallsThrough) {
      const rest = left.alternatives.filter((text) => matches(text) !== true);
      if (rest.length > 0 || left.sure) left = { alternatives: rest, sure: left.sure };
    }
  }
  if (decided && ends.length === 0) return undefined;
  for (const end of ends) mergeState(state, end);
  return undefined;
}

async function loop(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  const body = node.childForFieldName('body');
  const name = node.childForFieldName('variable')?.text;
  let items: Value = unknown;
  const condition: Node[] = [];
  if (node.type === 'for_statement') {
    const values: Node[] = [];
    let afterIn = false;
    for (const child of childrenOf(node)) {
      if (child.type === 'in') afterIn = true;
      else if (body !== null && child.id === body.id) break;
      else if (afterIn && child.isNamed) values.push(child);
    }
    for (const value of values) await substitutions(value, state, frame, nesting);
    const context = expandContext(state, frame);
    const lists = afterIn
      ? values.flatMap((value) => fieldsOf(value, context))
      : (state.args ?? [[undefined]]);
    const words = lists.flat();
    items = words.includes(undefined) ? unknown : anyOf(words as string[], false);
    if (items.alternatives?.length === 0) items = unset;
  } else {
    for (const child of childrenOf(node)) {
      if (body !== null && child.id === body.id) break;
      if (child.isNamed) condition.push(child);
    }
  }
  const pass = async (): Promise<void> => {
    const inside = copyState(state);
    for (const one of condition) await statement(one, inside, frame, nesting + 1);
    if (name !== undefined) inside.variables.set(name, items);
    if (body !== null) await statement(body, inside, frame, nesting + 1);
    mergeState(state, inside);
  };
  // Twice, so that values of the first round meet the start of the second; what still changes is then unknown.
  await pass();
  const first = copyState(state);
  await pass();
  if (!equalStates(first, state)) {
    widenState(state, first);
    await pass();
  }
  return undefined;
}

function equalStates(a: ShellState, b: ShellState): boolean {
  const probe = copyState(b);
  widenState(probe, a);
  const variables = [...b.variables].every(([name, value]) => probe.variables.get(name) === value);
  const arrays = [...b.arrays].every(([name, lists]) => probe.arrays.get(name) === lists);
  return variables && arrays && probe.args === b.args;
}

/** Environment of a program started now: exported variables, and the ones written before the command. */
function environment(state: ShellState, extra: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const env = new Map<string, Value>();
  for (const name of state.exported) env.set(name, variable(state, name));
  for (const [name, value] of extra) env.set(name, value);
  return env;
}

async function command(node: Node, state: ShellState, frame: Frame, nesting: number): Promise<Truth> {
  await substitutions(node, state, frame, nesting);
  const extra = new Map<string, Value>();
  const words: Node[] = [];
  for (const child of namedChildrenOf(node)) {
    if (child.type === 'variable_assignment') assign(child, state, frame, extra);
    else if (child.type === 'command_name' || !child.type.endsWith('_redirect')) words.push(child);
  }
  const { lists, complete } = wordLists(words, expandContext(state, frame));
  const line = lineOf(node, frame);
  if (!complete) {
    frame.host.undecided(
      'command',
      line,
      printable(node.text, 120),
      'it has too many possible forms to try all',
    );
  }
  let truth: Truth;
  let isFirst = true;
  for (const list of lists) {
    // What the shell itself does (set, cd, …) is done once for each form, on a copy but for the last.
    const own = lists.length === 1 ? state : copyState(state);
    const result = await simpleCommand(list, words, own, frame, extra, line, nesting, node);
    truth = isFirst || truth === result ? result : undefined;
    isFirst = false;
    if (own !== state) mergeState(state, own);
  }
  return truth;
}

async function simpleCommand(
  list: Words,
  nodes: readonly Node[],
  state: ShellState,
  frame: Frame,
  extra: ReadonlyMap<string, Value>,
  line: number,
  nesting: number,
  node: Node,
): Promise<Truth> {
  const { host } = frame;
  const [name, ...args] = list;
  if (list.length === 0) {
    for (const [variableName, value] of extra) state.variables.set(variableName, value);
    return undefined;
  }
  const external = async (words: Words): Promise<void> => {
    if (!host.step(line)) return;
    await host.run(words, { script: frame.file, line, env: environment(state, extra), cwd: state.cwd });
  };
  if (name === undefined || name === '') {
    const reason =
      name === undefined
        ? 'the command is put together at run time'
        : 'the command is empty unless a variable is set';
    host.undecided('command', line, printable(node.text, 120), reason);
    // A variable in front may be empty or a wrapper: whatever program follows may be what is run.
    const next = args.findIndex((word) => word !== undefined && !/^[-=]/.test(word));
    const candidate = args[next];
    if (candidate !== undefined && host.find(candidate, searchPath(state), state.cwd) !== undefined) {
      await external(args.slice(next));
    }
    return undefined;
  }
  if (name === 'time' && frame.dialect === 'bash') {
    // A keyword there, in front of a command.
    const rest = withoutOptions(args, '');
    return simpleCommand(
      rest,
      nodes.slice(nodes.length - rest.length),
      state,
      frame,
      extra,
      line,
      nesting,
      node,
    );
  }
  const body = state.functions.get(name);
  if (body !== undefined) return callFunction(name, body, args, state, frame, extra, nesting);
  if (!isBuiltin(name, frame.dialect)) {
    await external(list);
    return undefined;
  }
  switch (name) {
    case ':':
    case 'true':
      return true;
    case 'false':
      return false;
    case 'test':
      return testCommandTruth(nodes.slice(1), expandContext(state, frame));
    case '[':
      return testCommandTruth(nodes.slice(1, -1), expandContext(state, frame));
    case 'exec':
    case 'command':
    case 'builtin': {
      const rest = withoutOptions(args, name === 'exec' ? 'a' : '');
      const inspects = name === 'command' && args.some((word) => word === '-v' || word === '-V');
      if (inspects || rest.length === 0) return undefined;
      if (name !== 'exec' && rest[0] !== undefined && isBuiltin(rest[0], frame.dialect)) {
        return simpleCommand(
          rest,
          nodes.slice(nodes.length - rest.length),
          state,
          frame,
          extra,
          line,
          nesting,
          node,
        );
      }
      if (rest[0] === undefined) {
        return simpleCommand(rest, [], state, frame, extra, line, nesting, node);
      }
      await external(rest);
      return undefined;
    }
    case 'eval': {
      if (args.includes(undefined)) {
        host.undecided('command', line, printable(node.text, 120), 'eval of a text that is made at run time');
        doubtState(state);
        return undefined;
      }
      return inner(args.join(' '), line, state, frame);
    }
    case '.':
    case 'source': {
      const [file, ...given] = args;
      if (file === undefined) {
        host.undecided(
          'script',
          line,
          printable(node.text, 120),
          'which file is read is decided at run time',
        );
        doubtState(state);
        return undefined;
      }
      return sourceFile(file, given, line, state, frame);
    }
    case 'set': {
      const values = setArguments(args);
      if (values !== undefined) {
        state.args = [values];
        state.argsSure = true;
      }
      return true;
    }
    case 'shift': {
      const count = args.length === 0 ? 1 : Number(args[0] ?? Number.NaN);
      state.args =
        Number.isInteger(count) && count >= 0
          ? state.args?.map((words) => afterShift(words, count))
          : undefined;
      return undefined;
    }
    case 'cd':
    case 'chdir':
    case 'pushd': {
      const directory = withoutOptions(args, '')[0];
      state.cwd = directory === undefined ? undefined : absolutePath(state.cwd, directory);
      return undefined;
    }
    case 'popd':
      state.cwd = undefined;
      return undefined;
    case 'export':
    case 'readonly':
    case 'local':
    case 'declare':
    case 'typeset':
      // With a name that is itself an expansion the grammar gives a plain command.
      for (const word of args) {
        if (word === undefined) doubtState(state);
        const pair = /^([A-Za-z_]\w*)(?:=([^]*))?$/.exec(word ?? '');
        if (pair?.[1] === undefined) continue;
        if (pair[2] !== undefined) state.variables.set(pair[1], constant(pair[2]));
        if (name === 'export') state.exported.add(pair[1]);
      }
      return undefined;
    case 'unset':
      for (const word of args) if (word !== undefined) state.variables.delete(word);
      return undefined;
    case 'read': {
      const names = withoutOptions(args, 'adinNptu').filter((word) => word !== undefined);
      for (const variableName of names) state.variables.set(variableName, unknown);
      // One name gets a whole line.
      if (names.length === 1) state.variables.set(names[0] as string, state.stdin);
      return undefined;
    }
    case 'mapfile':
    case 'readarray': {
      const target = withoutOptions(args, 'dnOsuCc').at(-1);
      if (target !== undefined) state.arrays.set(target, [[undefined]]);
      return undefined;
    }
    case 'getopts': {
      if (args[1] !== undefined) state.variables.set(args[1], unknown);
      state.variables.set('OPTARG', unknown);
      state.variables.set('OPTIND', unknown);
      return undefined;
    }
    case 'printf':
      if (args[0] === '-v' && args[1] !== undefined) state.variables.set(args[1], unknown);
      return undefined;
    case 'let':
      for (const word of args) {
        const target = /^\s*([A-Za-z_]\w*)/.exec(word ?? '')?.[1];
        if (target !== undefined) state.variables.set(target, unknown);
      }
      return undefined;
    case 'trap': {
      const [action] = withoutOptions(args, '');
      if (action === undefined) {
        if (args.length > 0)
          host.undecided('command', line, printable(node.text, 120), 'a trap made at run time');
      } else if (action !== '' && action !== '-' && args.length > 1) {
        await inner(action, line, copyState(state), frame);
      }
      return undefined;
    }
    case 'alias':
      for (const word of args) {
        const text = /^[^=]+=([^]*)$/.exec(word ?? '')?.[1];
        if (text !== undefined) await inner(text, line, copyState(state), frame);
      }
      return undefined;
    default:
      return undefined;
  }
}

/** A PATH in the state, else the one the environment gave. */
function searchPath(state: ShellState): Value {
  return variable(state, 'PATH');
}

/** A word that may be several is not used up by a shift when it is the last. */
function afterShift(words: Words, count: number): Words {
  const rest = words.slice(count);
  return rest.length === 0 && words.includes(undefined) ? [undefined] : rest;
}

/** Drops leading options; letters of `valued` take the next word where nothing is attached. */
function withoutOptions(args: readonly Word[], valued: string): readonly Word[] {
  let at = 0;
  while (at < args.length) {
    const word = args[at];
    if (word === '--') return args.slice(at + 1);
    if (word === undefined || !/^-./.test(word)) break;
    at += valued.includes(word.at(-1) as string) && word.length === 2 ? 2 : 1;
  }
  return args.slice(at);
}

/** What `set` makes of the positional parameters; undefined where it leaves them. */
function setArguments(args: readonly Word[]): Words | undefined {
  let at = 0;
  while (at < args.length) {
    const word = args[at];
    if (word === '--') return args.slice(at + 1);
    if (word === '-') return args.slice(at + 1);
    if (word === undefined || !/^[-+]/.test(word)) return args.slice(at);
    at += /^[-+]\w*o$/.test(word) ? 2 : 1;
  }
  return undefined;
}

/** Commands in a text that a script holds: `eval`, `trap`, `alias`. */
async function inner(text: string, line: number, state: ShellState, frame: Frame): Promise<Truth> {
  if (frame.depth >= maximumDepth) {
    frame.host.undecided('command', line, printable(text, 120), 'nested too deeply to be followed');
    return undefined;
  }
  return walkText(text, state, { ...frame, depth: frame.depth + 1, lineOffset: line - 1 });
}

async function sourceFile(
  file: string,
  given: readonly Word[],
  line: number,
  state: ShellState,
  frame: Frame,
): Promise<Truth> {
  const { host } = frame;
  // Without a slash a file is looked for on PATH, then (bash) in the working directory.
  const found = file.includes('/') ? undefined : host.find(file, searchPath(state), state.cwd);
  const path = found ?? absolutePath(state.cwd, file);
  if (path === undefined) {
    host.undecided('script', line, printable(file), 'the working directory is not known');
    doubtState(state);
    return undefined;
  }
  const guard = `. ${path}`;
  if (frame.depth >= maximumDepth || frame.calls.includes(guard)) return undefined;
  const text = await host.source(path, line);
  if (text === undefined) {
    doubtState(state);
    return undefined;
  }
  const below: Frame = {
    ...frame,
    file: path,
    lineOffset: 0,
    depth: frame.depth + 1,
    calls: [...frame.calls, guard],
  };
  const outer = { args: state.args, sure: state.argsSure };
  if (given.length > 0) state.args = [given];
  const truth = await walkText(text, state, below);
  if (given.length > 0) {
    state.args = outer.args;
    state.argsSure = outer.sure;
  }
  return truth;
}

async function callFunction(
  name: string,
  called: ShellFunction,
  args: Words,
  state: ShellState,
  frame: Frame,
  extra: ReadonlyMap<string, Value>,
  nesting: number,
): Promise<Truth> {
  const guard = JSON.stringify([name, ...args.map((word) => word ?? null)]);
  if (frame.calls.includes(guard)) return undefined;
  if (frame.depth >= maximumDepth) {
    const line = called.body.startPosition.row + 1 + called.lineOffset;
    frame.host.undecided(
      'script',
      line,
      printable(name),
      'functions call each other too deeply to be followed',
    );
    return undefined;
  }
  const outer = { args: state.args, sure: state.argsSure };
  state.args = [args];
  state.argsSure = true;
  for (const [variableName, value] of extra) state.variables.set(variableName, value);
  const below: Frame = {
    ...frame,
    file: called.file,
    lineOffset: called.lineOffset,
    depth: frame.depth + 1,
    calls: [...frame.calls, guard],
  };
  const truth = await statement(called.body, state, below, nesting + 1);
  state.args = outer.args;
  state.argsSure = outer.sure;
  // `return` may leave a function anywhere: what its last command says is no result.
  return truth === undefined ? undefined : returns(called.body) ? undefined : truth;
}

function returns(node: Node): boolean {
  return /\b(return|exit)\b/.test(node.text);
}
