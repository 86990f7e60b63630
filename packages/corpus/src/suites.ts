import { createHash } from 'node:crypto';
import type { ImageRecipe } from '@prof-gen/core';

export type Suite = ImageRecipe['suite'];

/** Where Debian's archives are: `{archive}` stands for `debian` or `debian-security`. */
export const defaultMirror = 'http://deb.debian.org/{archive}';

/** The suite's main archive with its updates; backports only for recipes that want them. */
export function sourcesOf(suite: Suite, backports: boolean, mirror: string): string {
  const line = (archive: string, name: string) =>
    `deb ${mirror.replaceAll('{archive}', archive)} ${name} main\n`;
  const extra = backports && suite !== 'sid' ? line('debian', `${suite}-backports`) : '';
  switch (suite) {
    case 'sid':
      return line('debian', suite) + extra;
    case 'bullseye':
      // Its security archive's index names files that mirrors no longer have.
      return line('debian', suite) + extra;
    case 'bookworm':
    case 'trixie':
      return (
        line('debian', suite) +
        line('debian', `${suite}-updates`) +
        line('debian-security', `${suite}-security`) +
        extra
      );
  }
}

/** Names the directory of apt's lists and packages: equal sources share one. */
export function sourcesName(suite: Suite, sources: string): string {
  return `${suite}-${createHash('sha256').update(sources).digest('hex').slice(0, 8)}`;
}
