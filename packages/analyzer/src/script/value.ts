/**
 * What static reading knows of one shell word or variable: the strings that it may be.
 * `alternatives` is undefined when it may be anything.
 */
export interface Value {
  readonly alternatives: readonly string[] | undefined;
  /**
   * Whether the alternatives are all there can be. A value from the environment is known but not sure:
   * it is used where a command needs it, and never to leave out a branch.
   */
  readonly sure: boolean;
}

/** More alternatives than this are "anything". */
const maximumAlternatives = 64;
const maximumLength = 4096;

export const unknown: Value = { alternatives: undefined, sure: false };
/** An unset variable: empty, unless somebody sets it for the container. */
export const unset: Value = { alternatives: [''], sure: false };

export function constant(text: string): Value {
  return { alternatives: [text], sure: true };
}

export function anyOf(alternatives: Iterable<string>, sure: boolean): Value {
  const distinct = [...new Set(alternatives)];
  if (distinct.length > maximumAlternatives || distinct.some((text) => text.length > maximumLength)) {
    return unknown;
  }
  return { alternatives: distinct, sure };
}

export function mapValue(value: Value, change: (text: string) => string): Value {
  return value.alternatives === undefined ? unknown : anyOf(value.alternatives.map(change), value.sure);
}

/** Either of the two. */
export function joinValues(a: Value, b: Value): Value {
  if (a === b) return a;
  if (a.alternatives === undefined || b.alternatives === undefined) return unknown;
  return anyOf([...a.alternatives, ...b.alternatives], a.sure && b.sure);
}

/** One after the other, every alternative with every other. */
export function concatValues(values: readonly Value[]): Value {
  let texts: readonly string[] = [''];
  let sure = true;
  for (const value of values) {
    if (value.alternatives === undefined) return unknown;
    if (texts.length * value.alternatives.length > maximumAlternatives) return unknown;
    const before = texts;
    texts = value.alternatives.flatMap((after) => before.map((text) => text + after));
    sure &&= value.sure;
  }
  return anyOf(texts, sure);
}

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.alternatives === undefined || b.alternatives === undefined) {
    return a.alternatives === b.alternatives;
  }
  return (
    a.sure === b.sure &&
    a.alternatives.length === b.alternatives.length &&
    a.alternatives.every((text) => b.alternatives?.includes(text))
  );
}

/** True or false where every alternative says the same and there can be no other. */
export function decide(value: Value, test: (text: string) => boolean): boolean | undefined {
  if (value.alternatives === undefined || !value.sure || value.alternatives.length === 0) return undefined;
  const first = test(value.alternatives[0] as string);
  return value.alternatives.every((text) => test(text) === first) ? first : undefined;
}
