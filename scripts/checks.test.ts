import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const cwd = join(import.meta.dirname, '..');

/** What the command prints when it fails; nothing when it succeeds. */
async function complaints(command: string, ...args: string[]): Promise<string> {
  try {
    await run(command, args, { cwd, maxBuffer: 16 << 20, env: { ...process.env, NO_COLOR: '1' } });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}` || String(error);
  }
}

describe('the workspace', () => {
  it('is formatted', async () => {
    expect(await complaints('npx', 'biome', 'format', '.')).toBe('');
  });

  it('type-checks, tests included', async () => {
    expect(await complaints('node', 'scripts/typecheck.mjs')).toBe('');
  });

  it('passes eslint', async () => {
    expect(await complaints('npx', 'eslint', '.', '--max-warnings', '0')).toBe('');
  });

  it('keeps to the module rules', async () => {
    expect(await complaints('npx', 'depcruise', '--config', '.dependency-cruiser.cjs', 'packages')).toBe('');
  });

  it('has no unused file, export or dependency', async () => {
    expect(await complaints('npx', 'knip')).toBe('');
  });

  it('has a lock file that npm ci takes', async () => {
    expect(await complaints('npm', 'ci', '--ignore-scripts', '--dry-run')).toBe('');
  });
});
