import { type DockerProfile, dockerProfileSchema, ProfGenError, printable, validated } from '@prof-gen/core';

/**
 * Reads a profile as Docker does, moby's own default included.
 * @throws ProfGenError `profile/not-json`, `profile/invalid`
 */
export function parseDockerProfile(text: string): DockerProfile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new ProfGenError('profile/not-json', `the profile is not JSON: ${printable(String(thrown))}`, {
      hint: 'a Docker seccomp profile is one JSON object with defaultAction and syscalls',
    });
  }
  return validated(dockerProfileSchema, value, 'the seccomp profile', 'profile/invalid');
}

/** A profile as text: two spaces, fields in the schema's order, a newline at the end. */
export function formatDockerProfile(profile: DockerProfile): string {
  return `${JSON.stringify(profile, null, 2)}\n`;
}
