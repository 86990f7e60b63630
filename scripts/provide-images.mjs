// Images of recipes in the engine, for the checks and benchmarks that need them: built and loaded where they are missing.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '..');

/** @param recipes their directory, below the workspace */
export async function provideImages(names, recipes = 'datasets/debian-official') {
  for (const command of ['build', 'load']) {
    await run('node', ['packages/cli/bin/prof-gen.js', 'corpus', command, ...names, '--recipes', recipes], {
      cwd: workspace,
    });
  }
}
