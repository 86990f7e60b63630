import type { FileTree } from '@prof-gen/core';

/** Most names that one pattern expands to. */
const maximumMatches = 256;

const special = /[*?[\\]/;

export function hasPattern(text: string): boolean {
  return /(^|[^\\])[*?[]/.test(text);
}

/** A text as a pattern that matches it alone. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}

export function unescapePattern(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}

/**
 * A shell pattern (POSIX.1-2017, Shell Command Language 2.13) as a regular expression without anchors.
 * Undefined for what is not understood, such as bash's extended patterns.
 * @param slash whether `*`, `?` and brackets match `/`: in `case` they do, in path names they do not
 */
function patternSource(pattern: string, slash: boolean): string | undefined {
  if (/[?*+@!]\(/.test(pattern)) return undefined;
  const any = slash ? '[^]' : '[^/]';
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string;
    if (c === '\\') {
      i += 1;
      source += (pattern[i] ?? '\\').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    } else if (c === '*') {
      // A run of stars is one star: it matches the same and cannot take exponential time.
      if (pattern[i - 1] !== '*' || pattern[i - 2] === '\\') source += `${any}*`;
    } else if (c === '?') source += any;
    else if (c === '[') {
      const close = pattern.indexOf(']', pattern[i + 1] === '!' || pattern[i + 1] === '^' ? i + 3 : i + 2);
      if (close < 0) {
        source += '\\[';
        continue;
      }
      const inside = pattern.slice(i + 1, close);
      if (inside.includes('[:')) return undefined;
      source += `[${inside.replace(/^[!^]/, '^').replace(/[\\\][]/g, '\\$&')}]`;
      i = close;
    } else source += c.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
  return source;
}

/** Whether `text` matches as in `case`; undefined where the pattern is not understood. */
export function matchesPattern(pattern: string, text: string): boolean | undefined {
  // Many stars over a long text would be slow: that is no pattern of a sane script.
  if ((pattern.match(/\*/g)?.length ?? 0) > 8 || pattern.length > 500) return undefined;
  const source = patternSource(pattern, true);
  if (source === undefined) return undefined;
  try {
    return new RegExp(`^${source}$`, 'u').test(text);
  } catch {
    return undefined;
  }
}

/**
 * `${text#pattern}` and its three sisters.
 * @returns undefined where the pattern is not understood
 */
export function removeAffix(
  text: string,
  pattern: string,
  operator: '#' | '##' | '%' | '%%',
): string | undefined {
  const lengths = Array.from({ length: text.length + 1 }, (_, i) => i);
  const longestFirst = operator === '##' || operator === '%%';
  for (const length of longestFirst ? lengths.reverse() : lengths) {
    const affix = operator.startsWith('#') ? text.slice(0, length) : text.slice(text.length - length);
    const matched = matchesPattern(pattern, affix);
    if (matched === undefined) return undefined;
    if (matched) {
      return operator.startsWith('#') ? text.slice(length) : text.slice(0, text.length - length);
    }
  }
  return text;
}

/** The path names that a pattern stands for, sorted; the pattern itself where there are none, as in a shell. */
export function expandPath(tree: FileTree, cwd: string, pattern: string): readonly string[] {
  const absolute = pattern.startsWith('/');
  let found: string[] = [absolute ? '' : '.'];
  const at = (path: string): string => (absolute ? path || '/' : `${cwd}/${path}`);
  for (const part of pattern.split('/').filter((piece) => piece !== '')) {
    if (!special.test(part)) {
      found = found.map((path) => `${path}/${part}`);
      continue;
    }
    const source = patternSource(part, false);
    if (source === undefined) return [unescapePattern(pattern)];
    let matcher: RegExp;
    try {
      matcher = new RegExp(`^${source}$`, 'u');
    } catch {
      return [unescapePattern(pattern)];
    }
    found = found
      .flatMap((path) =>
        tree
          .list(at(path))
          .map((entry) => entry.path.slice(entry.path.lastIndexOf('/') + 1))
          .filter((name) => matcher.test(name) && (!name.startsWith('.') || part.startsWith('.')))
          .map((name) => `${path}/${name}`),
      )
      .slice(0, maximumMatches);
  }
  const existing = found.filter((path) => tree.resolve(at(path)).ok).map((path) => path.replace(/^\.\//, ''));
  return existing.length > 0 ? existing.sort() : [unescapePattern(pattern)];
}
