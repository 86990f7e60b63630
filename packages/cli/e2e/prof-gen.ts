import { spawn } from 'node:child_process';
import { join } from 'node:path';

const workspace = join(import.meta.dirname, '../../..');
const program = join(workspace, 'packages/cli/bin/prof-gen.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user does; `signal` ends it. */
export function profGen(
  args: readonly string[],
  options: { env?: Record<string, string>; through?: readonly string[]; signal?: AbortSignal } = {},
): Promise<Ended> {
  const [command = process.execPath, ...rest] = [
    ...(options.through ?? []),
    process.execPath,
    program,
    ...args,
  ];
  const child = spawn(command, rest, {
    cwd: workspace,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.signal?.addEventListener('abort', () => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
