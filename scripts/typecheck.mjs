#!/usr/bin/env node
// Type-checks the tests of every package (the build has checked the rest).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const workspace = join(import.meta.dirname, '..');
let failed = false;
for (const name of readdirSync(join(workspace, 'packages'))) {
  const project = join('packages', name, 'tsconfig.spec.json');
  const { status } = spawnSync('npx', ['tsc', '--project', project], { cwd: workspace, stdio: 'inherit' });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
