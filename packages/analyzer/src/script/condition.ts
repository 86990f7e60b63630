import type { Node } from 'web-tree-sitter';
import { type ExpandContext, valueOf } from './expand.js';
import { childrenOf } from './shell-grammar.js';
import { matchesPattern } from './shell-pattern.js';
import { constant, decide, unknown, type Value } from './value.js';

interface Token {
  readonly text: string | undefined;
  readonly value: Value;
  /** The value as a pattern, for the right side of `==` in `[[ ]]`. */
  readonly pattern: Value;
}

const leaves = new Set([
  'string',
  'raw_string',
  'ansi_c_string',
  'translated_string',
  'word',
  'number',
  'simple_expansion',
  'expansion',
  'concatenation',
  'command_substitution',
  'extglob_pattern',
  'regex',
  'arithmetic_expansion',
  'process_substitution',
]);

/**
 * The words of `[ … ]` in the order written. The grammar's own nesting is not used: it reads
 * `a = b -a c = d` as `a = (b -a c) = d`.
 */
function tokensOf(node: Node, context: ExpandContext): Token[] {
  if (leaves.has(node.type)) {
    const text = node.type === 'word' || node.type === 'number' ? node.text : undefined;
    return [{ text, value: valueOf(node, context), pattern: valueOf(node, context, true) }];
  }
  if (node.childCount === 0) return [operator(node.text)];
  return childrenOf(node).flatMap((child) => tokensOf(child, context));
}

function operator(text: string): Token {
  return { text, value: constant(text), pattern: unknown };
}

const binary = new Set([
  '=',
  '==',
  '!=',
  '=~',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
]);

type Truth = boolean | undefined;
const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);
function and(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === undefined || b === undefined ? undefined : true;
}
function or(a: Truth, b: Truth): Truth {
  return not(and(not(a), not(b)));
}

/** Equal, where all alternatives of both sides agree. */
function equal(left: Value, right: Token, asPattern: boolean): Truth {
  const side = asPattern ? right.pattern : right.value;
  if (side.alternatives === undefined || !side.sure) return undefined;
  const answers = side.alternatives.map((text) => {
    if (!asPattern) return decide(left, (mine) => mine === text);
    if (matchesPattern(text, '') === undefined) return undefined;
    return decide(left, (mine) => matchesPattern(text, mine) === true);
  });
  return answers.every((answer) => answer === answers[0]) ? answers[0] : undefined;
}

function compare(left: Value, name: string, right: Value): Truth {
  const b = right.sure && right.alternatives?.length === 1 ? Number(right.alternatives[0]) : Number.NaN;
  if (Number.isNaN(b)) return undefined;
  return decide(left, (text) => {
    const a = Number(text);
    switch (name) {
      case '-eq':
        return a === b;
      case '-ne':
        return a !== b;
      case '-lt':
        return a < b;
      case '-le':
        return a <= b;
      case '-gt':
        return a > b;
      default:
        return a >= b;
    }
  });
}

/** test(1) by recursive descent; undefined is "may be either". */
function evaluate(tokens: readonly Token[], double: boolean): Truth {
  let at = 0;
  let depth = 0;
  const peek = (offset = 0): string | undefined => tokens[at + offset]?.text;

  function disjunction(): Truth {
    let truth = conjunction();
    while (peek() === '||' || peek() === '-o') {
      at += 1;
      truth = or(truth, conjunction());
    }
    return truth;
  }
  function conjunction(): Truth {
    let truth = negation();
    while (peek() === '&&' || peek() === '-a') {
      at += 1;
      truth = and(truth, negation());
    }
    return truth;
  }
  function negation(): Truth {
    let negated = false;
    while (peek() === '!' && at + 1 < tokens.length) {
      at += 1;
      negated = !negated;
    }
    const truth = primary();
    return negated ? not(truth) : truth;
  }
  function primary(): Truth {
    const token = tokens[at];
    if (token === undefined) return undefined;
    const next = tokens[at + 1];
    if (next?.text !== undefined && binary.has(next.text) && at + 2 < tokens.length) {
      const right = tokens[at + 2] as Token;
      at += 3;
      if (next.text === '=' || next.text === '==') return equal(token.value, right, double);
      if (next.text === '!=') return not(equal(token.value, right, double));
      return /^-(eq|ne|lt|le|gt|ge)$/.test(next.text)
        ? compare(token.value, next.text, right.value)
        : undefined;
    }
    if ((token.text === '(' || token.text === '\\(') && depth < 50) {
      at += 1;
      depth += 1;
      const truth = disjunction();
      depth -= 1;
      if (peek() === ')' || peek() === '\\)') at += 1;
      return truth;
    }
    if (token.text !== undefined && /^-[a-zA-Z]$/.test(token.text) && next !== undefined) {
      at += 2;
      if (token.text === '-z') return decide(next.value, (text) => text === '');
      if (token.text === '-n') return decide(next.value, (text) => text !== '');
      return undefined;
    }
    at += 1;
    return decide(token.value, (text) => text !== '');
  }

  if (tokens.length === 0) return false;
  const truth = disjunction();
  return at === tokens.length ? truth : undefined;
}

/** `[ … ]` and `[[ … ]]`. */
export function testTruth(node: Node, context: ExpandContext): Truth {
  const children = childrenOf(node);
  const open = children[0]?.text;
  if (open !== '[' && open !== '[[') return undefined;
  const tokens = children.slice(1, -1).flatMap((child) => tokensOf(child, context));
  return tokens.length > 1000 ? undefined : evaluate(tokens, open === '[[');
}

/** The command `test` with these arguments. */
export function testCommandTruth(args: readonly Node[], context: ExpandContext): Truth {
  const tokens = args.flatMap((node) => tokensOf(node, context));
  return tokens.length > 1000 ? undefined : evaluate(tokens, false);
}
