import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const workspace = join(import.meta.dirname, '../..');

/**
 * Caches Nx's project graph once, before any check: `@nx/enforce-module-boundaries` says nothing at all without one.
 */
export default function cacheProjectGraph(): void {
  const printed = execFileSync('npx', ['nx', 'show', 'projects', '--json'], {
    cwd: workspace,
    stdio: 'pipe',
  });
  const known = new Set(JSON.parse(printed.toString()) as string[]);
  const missing = readdirSync(join(workspace, 'packages')).filter((name) => !known.has(`@prof-gen/${name}`));
  if (missing.length > 0) throw new Error(`Nx does not know these packages: ${missing.join(', ')}`);
}
