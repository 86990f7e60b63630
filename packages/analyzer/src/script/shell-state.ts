import type { Node } from 'web-tree-sitter';
import { joinValues, sameValue, unset, unknown, type Value } from './value.js';

/** One word of a command: its text, or undefined where it may be anything (perhaps several words, perhaps none). */
export type Word = string | undefined;

/** Words of one command line or argument list. */
export type Words = readonly Word[];

/** More lists than this are not told apart. */
export const maximumLists = 64;

/** A function's body, and the file that it stands in. */
export interface ShellFunction {
  readonly body: Node;
  readonly file: string;
  readonly lineOffset: number;
}

export interface ShellState {
  readonly variables: Map<string, Value>;
  readonly exported: Set<string>;
  readonly arrays: Map<string, readonly Words[]>;
  /** `$1…`: the lists that they may be; undefined when they may be anything. */
  args: readonly Words[] | undefined;
  /** Whether `args` are all that they can be. */
  argsSure: boolean;
  readonly functions: Map<string, ShellFunction>;
  /** Working directory; undefined when it may be any. */
  cwd: string | undefined;
  /** Lines that standard input may bring, where a pipe makes that known. */
  stdin: Value;
}

export function copyState(state: ShellState): ShellState {
  return {
    ...state,
    variables: new Map(state.variables),
    exported: new Set(state.exported),
    arrays: new Map(state.arrays),
    functions: new Map(state.functions),
  };
}

export function variable(state: ShellState, name: string): Value {
  return state.variables.get(name) ?? unset;
}

export function distinctLists(lists: readonly Words[]): readonly Words[] {
  const seen = new Map<string, Words>();
  for (const list of lists) seen.set(JSON.stringify(list.map((word) => word ?? null)), list);
  return [...seen.values()];
}

function joinLists(a: readonly Words[] | undefined, b: readonly Words[] | undefined) {
  if (a === undefined || b === undefined) return undefined;
  const joined = a === b ? a : distinctLists([...a, ...b]);
  return joined.length > maximumLists ? undefined : joined;
}

/** Makes `into` cover what holds in `other` as well: the state after one of two branches. */
export function mergeState(into: ShellState, other: ShellState): void {
  for (const name of new Set([...into.variables.keys(), ...other.variables.keys()])) {
    into.variables.set(name, joinValues(variable(into, name), variable(other, name)));
  }
  for (const name of other.exported) into.exported.add(name);
  for (const name of new Set([...into.arrays.keys(), ...other.arrays.keys()])) {
    const joined = joinLists(into.arrays.get(name) ?? [[]], other.arrays.get(name) ?? [[]]);
    into.arrays.set(name, joined ?? [[undefined]]);
  }
  into.args = joinLists(into.args, other.args);
  into.argsSure &&= other.argsSure;
  for (const [name, body] of other.functions) into.functions.set(name, body);
  if (into.cwd !== other.cwd) into.cwd = undefined;
}

/** Makes everything that differs between two passes of a loop unknown. */
export function widenState(into: ShellState, before: ShellState): void {
  for (const [name, value] of into.variables) {
    if (!sameValue(value, variable(before, name))) into.variables.set(name, unknown);
  }
  for (const [name, lists] of into.arrays) {
    if (JSON.stringify(lists) !== JSON.stringify(before.arrays.get(name)))
      into.arrays.set(name, [[undefined]]);
  }
  if (JSON.stringify(into.args) !== JSON.stringify(before.args)) into.args = undefined;
}

/** After code that nobody knows ran in this shell: what was known may still hold, and nothing is sure. */
export function doubtState(state: ShellState): void {
  for (const [name, value] of state.variables) state.variables.set(name, { ...value, sure: false });
  state.argsSure = false;
}
