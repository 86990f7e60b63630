import { admits, cut, LOW_HALF } from '../function/term.js';
import type { FileSummary } from '../summary/file-summary.js';
import type { SummaryArgument, SummaryConstraint } from '../summary/guard-tables.js';
import type { LinkInput } from './bind-symbols.js';

/** What a parameter or a cell may hold: these values, or anything. */
export type Possible = ReadonlySet<number> | 'anything';

/** Larger sets are anything. Shared cells start with up to 32. */
const MAX_VALUES = 48;
/** A parameter that may be anything, but not where a condition holds of it: so few values are taken one by one. */
const MAX_ENUMERATED = 16;

/** What a call hands over, by register; what is not there may be anything. */
export type Given = ReadonlyMap<number, Possible>;

export const unknownArguments: Given = new Map();

/** A node whose conditions depend on a cell. */
interface Asker {
  readonly object: number;
  readonly node: number;
}

/** Adds values; returns whether the set has grown. */
function grow(into: Map<string, Possible>, key: string, values: Possible): boolean {
  const known = into.get(key) ?? new Set<number>();
  if (known === 'anything') return false;
  if (values === 'anything') {
    into.set(key, 'anything');
    return true;
  }
  const union = new Set([...known, ...values]);
  if (union.size === known.size && into.has(key)) return false;
  into.set(key, union.size > MAX_VALUES ? 'anything' : union);
  return true;
}

/**
 * What parameters and cells may hold, as far as the program's reachable code says. Only ever grows, so that the
 * end does not depend on the order.
 */
export class GuardState {
  readonly #parameters: ReadonlyMap<number, readonly number[]>[] = [];
  readonly #given = new Map<string, Possible>();
  readonly #cells = new Map<string, Possible>();
  /** By cell: who asked about it. */
  readonly #askers = new Map<string, Map<string, Asker>>();

  constructor(private readonly input: LinkInput) {
    this.extend();
  }

  /** Takes in objects that have come since. Returns the nodes that asked about a cell that holds more now. */
  extend(): Asker[] {
    const learners: Asker[] = [];
    for (let object = this.#parameters.length; object < this.input.objects.length; object++) {
      const { parameters = [], cells = [] } = this.#summary(object) ?? {};
      this.#parameters.push(new Map(parameters.map(({ node, registers }) => [node, registers])));
      for (const { cell, shared, values } of cells) {
        const key = this.#cellKey(object, cell, shared);
        if (grow(this.#cells, key, new Set(values)))
          learners.push(...(this.#askers.get(key)?.values() ?? []));
      }
    }
    return learners;
  }

  #summary(object: number): FileSummary | undefined {
    return this.input.objects[object]?.summary;
  }

  #cellKey(object: number, cell: string, shared?: boolean): string {
    const isShared =
      shared ?? this.#summary(object)?.cells.find((each) => each.cell === cell)?.shared ?? false;
    return isShared ? cell : `${object} ${cell}`;
  }

  /** Takes in what a call hands to a node. Returns whether the node learns of new values. */
  receive(object: number, node: number, given: Given): boolean {
    const wanted = this.#parameters[object]?.get(node);
    if (wanted === undefined) return false;
    let changed = false;
    for (const register of wanted) {
      const values = given.get(register) ?? 'anything';
      if (grow(this.#given, `${object} ${node} ${register}`, values)) changed = true;
    }
    return changed;
  }

  /** Makes a cell hold anything. Returns the nodes that asked about it, when it holds more now. */
  store(object: number, cell: string): Iterable<Asker> {
    const key = this.#cellKey(object, cell);
    if (!grow(this.#cells, key, 'anything')) return [];
    return this.#askers.get(key)?.values() ?? [];
  }

  #parameter(object: number, node: number, register: number): Possible {
    return this.#given.get(`${object} ${node} ${register}`) ?? 'anything';
  }

  /** Whether a condition of a node may hold. The node is told of when a cell in it holds more. */
  mayHold(object: number, node: number, condition: number): boolean {
    const constraints = this.#summary(object)?.conditions[condition] ?? [];
    const parameters = new Set<number>();
    for (const { parameter, cell, ...rest } of constraints) {
      if (parameter !== undefined) parameters.add(parameter);
      if (cell === undefined) continue;
      const key = this.#cellKey(object, cell);
      const askers = this.#askers.get(key) ?? new Map<string, Asker>();
      askers.set(`${object} ${node}`, { object, node });
      this.#askers.set(key, askers);
      const values = this.#cells.get(key) ?? 'anything';
      // The values at two times may differ: each constraint is asked for itself.
      if (values !== 'anything' && ![...values].some((value) => admits(rest, value))) return false;
    }
    for (const register of parameters) {
      const values = this.#parameter(object, node, register);
      if (values !== 'anything' && selected(values, constraints, register).length === 0) return false;
    }
    return true;
  }

  /** What an edge of a node hands over, given that its condition holds. */
  given(object: number, node: number, condition: number, list: number): Given {
    const summary = this.#summary(object);
    const constraints = summary?.conditions[condition] ?? [];
    const result = new Map<number, Possible>();
    for (const argument of summary?.argumentLists[list] ?? []) {
      result.set(argument.register, this.#argument(object, node, constraints, argument));
    }
    return result;
  }

  #argument(
    object: number,
    node: number,
    constraints: readonly SummaryConstraint[],
    { constants, passed }: SummaryArgument,
  ): Possible {
    const values = new Set(constants);
    for (const { parameter, plus, mask, or = 0 } of passed) {
      const own = this.#parameter(object, node, parameter);
      const from =
        own === 'anything' ? enumerated(constraints, parameter, mask) : selected(own, constraints, parameter);
      if (from === undefined) return 'anything';
      for (const value of from)
        values.add(mask === undefined ? value + plus : (cut(value + plus, mask) | or) >>> 0);
    }
    return values;
  }
}

/** Those values of a parameter that all constraints on it admit. */
function selected(
  values: ReadonlySet<number>,
  constraints: readonly SummaryConstraint[],
  register: number,
): number[] {
  const own = constraints.filter(({ parameter }) => parameter === register);
  return [...values].filter((value) => own.every((constraint) => admits(constraint, value)));
}

/** The few values that a constraint leaves of a parameter, or undefined. */
function enumerated(
  constraints: readonly SummaryConstraint[],
  register: number,
  mask: number | undefined,
): number[] | undefined {
  for (const constraint of constraints) {
    if (constraint.parameter !== register) continue;
    // The low half is all that is passed on, or all of it is known.
    if (constraint.mask !== undefined && !(constraint.mask === LOW_HALF && mask !== undefined)) continue;
    const values: number[] = [];
    for (let i = 0; i < constraint.ranges.length; i += 2) {
      const [first = 0, last = 0] = [constraint.ranges[i], constraint.ranges[i + 1]];
      if (last - first + values.length >= MAX_ENUMERATED) return undefined;
      for (let value = first; value <= last; value++) values.push(value);
    }
    return values;
  }
  return undefined;
}
