import { compareVersions } from '../version/compare-versions.js';

interface LibseccompRelease {
  readonly version: string;
  /** Highest number of x86-64 that it has a name for. */
  readonly highest: number;
  /** Numbers below that it has no name for. */
  readonly without: readonly number[];
}

/**
 * Names by release. Source: CHANGELOG and src/syscalls.csv of libseccomp: 2.5.1 follows Linux 5.10,
 * 2.5.2 5.14, 2.5.3 5.15, 2.5.4 5.17, 2.5.5 6.7, 2.6.0 6.13. Numbers 335 and 336 were given late.
 * Distributions backport tables: Debian 12's 2.5.4-1+deb12u1 resolves all names up to 456
 * (`scmp_sys_resolver -a x86_64`), so a release here is the least that its bearers know.
 */
const releases: readonly LibseccompRelease[] = [
  { version: '2.5.1', highest: 440, without: [335, 336] },
  { version: '2.5.2', highest: 447, without: [335, 336] },
  { version: '2.5.3', highest: 448, without: [335, 336] },
  { version: '2.5.4', highest: 450, without: [335, 336] },
  { version: '2.5.5', highest: 456, without: [335, 336] },
  { version: '2.6.0', highest: 466, without: [336] },
];

/** The oldest that a supported distribution still ships: Ubuntu 22.04. */
export const oldestLibseccomp = '2.5.3';

/** What one version of libseccomp can put into a filter. */
export interface LibseccompNames {
  readonly highest: number;
  readonly knows: (number: number) => boolean;
}

/** Names of the newest listed release that is not newer than `version`; of the oldest for still older ones. */
export function libseccompNames(version: string = oldestLibseccomp): LibseccompNames {
  const usable = releases.filter((release) => compareVersions(release.version, version) <= 0);
  const { highest, without } = (usable.at(-1) ?? releases[0]) as LibseccompRelease;
  return { highest, knows: (number) => number <= highest && !without.includes(number) };
}
