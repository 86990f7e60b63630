import type { Profile } from '@prof-gen/core';

/** Names of calls whose denial is meant though something wants them; a denial of any other call is a defect. */
export interface ExpectedDenials {
  /** Docker's default denies them to this container as well, for some arguments or for all. */
  readonly defaultDenied: ReadonlySet<string>;
  /** Answered ENOSYS; the caller falls back. */
  readonly fallback: ReadonlySet<string>;
}

/** What a proof under `profile` may see denied while the container behaves as it does without Prof-gen. */
export function expectedDenials(profile: Profile): ExpectedDenials {
  const conditional = profile.allowed.filter(({ when }) => when !== undefined).map(({ name }) => name);
  const denied = (reason: string) =>
    profile.denied.filter((call) => call.reason === reason).map(({ name }) => name);
  return {
    defaultDenied: new Set([...conditional, ...denied('docker-default')].sort()),
    fallback: new Set(denied('fallback')),
  };
}
