/**
 * A file name for each image's name, in order: only letters of ASCII, digits, dot, dash and underscore, never
 * hidden, distinct also where a file system ignores case.
 */
export function fileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain =
      name
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-')
        .replace(/^[.-]+/, '')
        .slice(0, 100) || 'image';
    let free = plain;
    for (let n = 2; taken.has(free); n += 1) free = `${plain}-${n}`;
    taken.add(free);
    return free;
  });
}
