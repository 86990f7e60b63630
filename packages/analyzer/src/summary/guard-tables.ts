import type { ArgumentPart, Arguments } from '../function/guards.js';
import type { Condition } from '../function/term.js';

/** Everything below and above: a range without an end, in a summary. */
const END = Number.MAX_SAFE_INTEGER;

/** `(parameter or cell) & mask` lies in the ranges. See `Constraint` of function/term.ts. */
export interface SummaryConstraint {
  /** Register of a parameter of the node's function. */
  readonly parameter?: number;
  readonly cell?: string;
  /** None for all 64 bits, signed. */
  readonly mask?: number;
  /** First, last, first, last, … */
  readonly ranges: readonly number[];
}

/** What a parameter may be: these constants, and `((parameter + plus) & mask) | or` of the caller's parameters. */
export interface SummaryArgument {
  readonly register: number;
  readonly constants: readonly number[];
  readonly passed: readonly {
    readonly parameter: number;
    readonly plus: number;
    readonly mask?: number;
    readonly or?: number;
  }[];
}

/** A way out of a node that is taken only when a condition may hold, or that hands over known arguments. */
export interface GuardedEdge {
  readonly node: number;
  /** A node, or with `isImport` an index into `imports`. */
  readonly to: number;
  readonly isImport: boolean;
  readonly kind: number;
  /** Index into `conditions`; 0 always holds. */
  readonly condition: number;
  /** Index into `argumentLists`; 0 says nothing. */
  readonly arguments: number;
}

/** Conditions and arguments of one file's edges, each once. */
export class GuardTables {
  readonly conditions: (readonly SummaryConstraint[])[] = [[]];
  readonly argumentLists: (readonly SummaryArgument[])[] = [[]];
  readonly #conditionOf = new Map<string, number>([['[]', 0]]);
  readonly #argumentsOf = new Map<string, number>([['[]', 0]]);

  condition(condition: Condition): number {
    const plain: readonly SummaryConstraint[] = condition.map(({ subject, mask, ranges }) => ({
      ...(subject.kind === 'parameter' ? { parameter: subject.register } : { cell: subject.cell }),
      ...(mask === undefined ? {} : { mask }),
      ranges: ranges.map((bound) => Math.max(-END, Math.min(END, bound))),
    }));
    return intern(plain, this.conditions, this.#conditionOf);
  }

  /** @param wanted registers that the callee looks at; undefined when that is not known */
  arguments(given: Arguments, wanted: ReadonlySet<number> | undefined): number {
    const plain: SummaryArgument[] = [];
    for (const [register, parts] of [...given].sort((a, b) => a[0] - b[0])) {
      if (wanted && !wanted.has(register)) continue;
      const constants = parts.filter((part) => typeof part === 'number').sort((a, b) => a - b);
      const passed = parts.flatMap((part) => passedOn(part));
      if (!wanted && passed.length > 0) continue;
      plain.push({ register, constants, passed });
    }
    return intern<readonly SummaryArgument[]>(plain, this.argumentLists, this.#argumentsOf);
  }

  /** Registers of the caller's parameters that an argument list passes on. */
  passedOn(list: number): number[] {
    return (this.argumentLists[list] ?? []).flatMap(({ passed }) => passed.map(({ parameter }) => parameter));
  }
}

function passedOn(part: ArgumentPart) {
  if (typeof part === 'number' || part.subject.kind !== 'parameter') return [];
  const { subject, plus, mask, or } = part;
  return [
    {
      parameter: subject.register,
      plus,
      ...(mask === undefined ? {} : { mask }),
      ...(or === undefined ? {} : { or }),
    },
  ];
}

function intern<T>(value: T, list: T[], known: Map<string, number>): number {
  const key = JSON.stringify(value);
  let index = known.get(key);
  if (index === undefined) {
    index = list.length;
    known.set(key, index);
    list.push(value);
  }
  return index;
}
