function numbers(version: string): number[] {
  const [leading = ''] = /\d+(\.\d+)*/.exec(version) ?? [];
  return leading.split('.').map(Number);
}

/** Order of `MAJOR.MINOR.PATCH`, missing parts being 0; what distributions add (`+ds1`, `-generic`) is ignored. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (const part of [0, 1, 2]) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
