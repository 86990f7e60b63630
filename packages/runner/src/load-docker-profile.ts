import { readFile } from 'node:fs/promises';
import { type DockerProfile, ProfGenError, printable } from '@prof-gen/core';
import { parseDockerProfile } from '@prof-gen/profile';

/**
 * A Docker seccomp profile from its file.
 * @throws ProfGenError `usage/bad-profile`, and those of `parseDockerProfile`
 */
export async function loadDockerProfile(file: string): Promise<DockerProfile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ProfGenError('usage/bad-profile', `${printable(file)} cannot be read`, {
      hint: 'give a profile that prof-gen profile wrote, or any other that docker run takes',
      causes: [error],
    });
  }
  return parseDockerProfile(text);
}
