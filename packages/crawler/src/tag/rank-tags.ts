import { compareStrings } from '@prof-gen/core';

const tagPattern = /^\w[\w.-]{0,127}$/;

/** Words for what is not yet released, alone or with a number: `9.0-rc1`, `27-ea`, `8.0-m01`, `3.0.0b2`. */
const early =
  /(?:^|[-._]|(?<=\d))(?:alpha|beta|rc|ea|m|a|b|pre|preview|dev|devel|nightly|snapshot|unstable|edge|experimental|testing|canary|milestone|next|incubating)[-._]?\d*(?=$|[-._])/i;

interface ReadTag {
  readonly tag: string;
  readonly version: readonly number[] | undefined;
  readonly stable: boolean;
  readonly prefixed: boolean;
  readonly plain: boolean;
  /** A day written as a number is no version. */
  readonly day: boolean;
}

function readTag(tag: string): ReadTag {
  const match = /^(.*?)(\d+(?:\.\d+)*)(.*)$/.exec(tag);
  const prefix = (match?.[1] ?? '').replace(/^v$/, '');
  const version = match?.[2]?.split('.').map(Number);
  return {
    tag,
    version,
    stable: !early.test(tag),
    prefixed: prefix !== '',
    plain: match !== null && prefix === '' && match[3] === '',
    day: (version?.[0] ?? 0) >= 100_000,
  };
}

/** Newer first; of `10` and `10.2`, which mean the same when both are there, the more exact. */
function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = (b[i] ?? 0) - (a[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
}

function compareTags(a: ReadTag, b: ReadTag): number {
  const first = (fact: (tag: ReadTag) => boolean): number => Number(fact(b)) - Number(fact(a));
  return (
    first(({ stable }) => stable) ||
    first(({ version, day }) => version !== undefined && !day) ||
    first(({ prefixed }) => !prefixed) ||
    compareVersions(a.version ?? [], b.version ?? []) ||
    first(({ plain }) => plain) ||
    compareStrings(a.tag, b.tag)
  );
}

/** Tags in the order to take one: `latest`, then the newest stable, then what is not stable. What is no tag is dropped. */
export function rankTags(tags: Iterable<string>): readonly string[] {
  const known = [...new Set(tags)].filter((tag) => tagPattern.test(tag));
  const ranked = known
    .filter((tag) => tag !== 'latest')
    .map(readTag)
    .sort(compareTags)
    .map(({ tag }) => tag);
  return known.includes('latest') ? ['latest', ...ranked] : ranked;
}
