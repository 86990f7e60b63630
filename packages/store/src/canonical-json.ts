/** A JSON value. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** One text for equal values: the keys of every object sorted, no white space, members without a value left out. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, part: Json) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
