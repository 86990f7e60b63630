import type { Denial, Profile } from '@prof-gen/core';

/**
 * What a denial seen under `profile` says:
 * - `intended`: the profile denies the call although something needs it, because Docker's default denies it to this
 *   container as well, or because the caller falls back when it does not exist. The container behaves as it does
 *   without Prof-gen.
 * - `defect`: nothing had shown that the call is needed. The profile is too tight.
 */
export function denialMeaning(profile: Profile, denial: Pick<Denial, 'name'>): 'intended' | 'defect' {
  const allowed = profile.allowed.find(({ name }) => name === denial.name);
  if (allowed !== undefined) return allowed.when === undefined ? 'defect' : 'intended';
  const denied = profile.denied.find(({ name }) => name === denial.name);
  return denied === undefined || denied.reason === 'not-needed' ? 'defect' : 'intended';
}
