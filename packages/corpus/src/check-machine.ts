import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type ImageRecipe, ProfGenError } from '@prof-gen/core';

/** Program → Debian's package. */
const needed = {
  mmdebstrap: 'mmdebstrap',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
  tar: 'tar',
  find: 'findutils',
} as const;

/**
 * Whether images can be built here.
 * @throws ProfGenError `environment/root`, `environment/missing-program`
 */
export async function checkMachine(recipes: readonly ImageRecipe[]): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new ProfGenError('environment/root', 'building images needs root', {
      hint: 'run it as root: files get owners, and an overlay is mounted in a namespace of its own',
    });
  }
  const programs: Record<string, string> = { ...needed };
  if (recipes.some(({ npm }) => npm.length > 0)) programs['npm'] = 'npm';
  for (const [program, from] of Object.entries(programs)) {
    if (await isInstalled(program)) continue;
    throw new ProfGenError('environment/missing-program', `there is no ${program}`, {
      hint: `install it: apt-get install ${from}`,
      details: { program },
    });
  }
}

async function isInstalled(program: string): Promise<boolean> {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const found = await access(join(directory, program), constants.X_OK).then(
      () => directory !== '',
      () => false,
    );
    if (found) return true;
  }
  return false;
}
