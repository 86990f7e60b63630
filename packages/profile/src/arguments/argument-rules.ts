import { type ArgumentCondition, compareStrings } from '@prof-gen/core';

/** Alternatives of conjunctions, as in AllowedSyscall.when; undefined means any arguments. */
export type ArgumentRules = readonly (readonly ArgumentCondition[])[] | undefined;

/** An interval up to this wide is written as single values, since seccomp cannot check both its ends. */
const widestEnumerated = 16n;

const largest = 2n ** 64n - 1n;

/** Whether `condition` holds for an unsigned 64-bit argument. */
function conditionHolds(condition: ArgumentCondition, argument: bigint): boolean {
  const value = BigInt(condition.value);
  switch (condition.op) {
    case 'eq':
      return argument === value;
    case 'ne':
      return argument !== value;
    case 'lt':
      return argument < value;
    case 'le':
      return argument <= value;
    case 'ge':
      return argument >= value;
    case 'gt':
      return argument > value;
    case 'masked-eq':
      return (argument & BigInt(condition.mask ?? largest)) === value;
  }
}

/** Whether a call with these arguments (missing ones are 0) meets one of the alternatives. */
export function rulesHold(rules: ArgumentRules, args: readonly bigint[]): boolean {
  if (rules === undefined) return true;
  return rules.some((all) =>
    all.every((condition) => conditionHolds(condition, args[condition.index] ?? 0n)),
  );
}

function conditionKey(condition: ArgumentCondition): string {
  return `${condition.index} ${condition.op} ${condition.value} ${condition.mask ?? ''}`;
}

function sortedConditions(conditions: readonly ArgumentCondition[]): ArgumentCondition[] {
  const byKey = new Map(conditions.map((condition) => [conditionKey(condition), condition]));
  return [...byKey.values()].sort(
    (a, b) => a.index - b.index || compareStrings(a.op, b.op) || (BigInt(a.value) < BigInt(b.value) ? -1 : 1),
  );
}

/**
 * The conditions on one argument as alternatives of fewer conditions, where that can be done exactly.
 * Empty: no value meets them all.
 */
function simplifyOneArgument(conditions: readonly ArgumentCondition[]): readonly ArgumentCondition[][] {
  const [first] = conditions;
  if (first === undefined || conditions.length === 1) return [[...conditions]];
  const exact = conditions.find(({ op }) => op === 'eq');
  if (exact !== undefined) {
    const met = conditions.every((condition) => conditionHolds(condition, BigInt(exact.value)));
    return met ? [[exact]] : [];
  }
  let low = 0n;
  let high = largest;
  for (const { op, value } of conditions) {
    const bound = BigInt(value);
    if (op === 'lt' && bound - 1n < high) high = bound - 1n;
    if (op === 'le' && bound < high) high = bound;
    if (op === 'gt' && bound + 1n > low) low = bound + 1n;
    if (op === 'ge' && bound > low) low = bound;
  }
  if (low > high) return [];
  if (high - low < widestEnumerated) {
    const values = Array.from({ length: Number(high - low) + 1 }, (_, step) => low + BigInt(step));
    return values
      .filter((value) => conditions.every((condition) => conditionHolds(condition, value)))
      .map((value) => [{ index: first.index, op: 'eq', value: String(value) }]);
  }
  const rest = conditions.filter(({ op, value }) => {
    if (op === 'masked-eq') return true;
    return op === 'ne' && BigInt(value) >= low && BigInt(value) <= high;
  });
  const bounds: ArgumentCondition[] = [];
  if (low > 0n) bounds.push({ index: first.index, op: 'ge', value: String(low) });
  if (high < largest) bounds.push({ index: first.index, op: 'le', value: String(high) });
  return [[...bounds, ...rest]];
}

function simplify(conditions: readonly ArgumentCondition[]): readonly ArgumentCondition[][] {
  let alternatives: readonly ArgumentCondition[][] = [[]];
  for (const index of [0, 1, 2, 3, 4, 5]) {
    const simple = simplifyOneArgument(sortedConditions(conditions.filter((one) => one.index === index)));
    alternatives = alternatives.flatMap((before) => simple.map((one) => [...before, ...one]));
  }
  return alternatives.map(sortedConditions);
}

/**
 * One form for rules that are written differently: sorted, and without alternatives that a wider one covers.
 * Undefined when any arguments will do.
 */
export function canonicalRules(rules: ArgumentRules): ArgumentCondition[][] | undefined {
  if (rules === undefined) return undefined;
  const alternatives = new Map<string, { keys: Set<string>; conditions: ArgumentCondition[] }>();
  for (const rule of rules) {
    const conditions = sortedConditions(rule);
    if (conditions.length === 0) return undefined;
    const keys = conditions.map(conditionKey);
    alternatives.set(keys.join(','), { keys: new Set(keys), conditions });
  }
  const all = [...alternatives.values()];
  const widest = all.filter(
    (one) => !all.some((other) => other !== one && [...other.keys].every((key) => one.keys.has(key))),
  );
  return widest
    .map(({ conditions }) => conditions)
    .sort((a, b) => {
      const [first, second] = [a[0], b[0]];
      const byValue =
        first && second && first.index === second.index ? BigInt(first.value) - BigInt(second.value) : 0n;
      if (byValue !== 0n) return byValue < 0n ? -1 : 1;
      return compareStrings(a.map(conditionKey).join(','), b.map(conditionKey).join(','));
    });
}

/** Rules that hold where either holds. */
export function eitherRules(a: ArgumentRules, b: ArgumentRules): ArgumentCondition[][] | undefined {
  return a === undefined || b === undefined ? undefined : canonicalRules([...a, ...b]);
}

/** Rules that hold where both hold; an empty list when nothing meets both. */
export function bothRules(a: ArgumentRules, b: ArgumentRules): ArgumentCondition[][] | undefined {
  if (a === undefined) return canonicalRules(b);
  if (b === undefined) return canonicalRules(a);
  return canonicalRules(a.flatMap((one) => b.flatMap((other) => simplify([...one, ...other]))));
}

/**
 * Whether seccomp can check the rules: it compares each argument at most once in one rule (seccomp_rule_add(3));
 * runc would turn a second comparison into an alternative, which allows more than was meant.
 */
export function expressible(rules: ArgumentRules): boolean {
  return (rules ?? []).every((all) => new Set(all.map(({ index }) => index)).size === all.length);
}
