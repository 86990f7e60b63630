/** The hint of an error about a word that is none of `names`: what was meant, perhaps, or what to do `otherwise`. */
export function didYouMean(word: string, names: readonly string[], otherwise: string): string {
  const close = closestWords(word, names);
  return close.length > 0 ? `did you mean ${close.join(' or ')}?` : otherwise;
}

/** At most three of `names` that a few letters part from a word, the nearest first. */
function closestWords(word: string, names: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(word.length / 3));
  return names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name, limit) }))
    .filter((one) => one.distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Letters to insert, delete or replace (Levenshtein); more than `limit` need not be exact. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
