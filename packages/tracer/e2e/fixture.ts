import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Observation, type Proof, type Workload, workloadSchema, x86_64Syscalls } from '@prof-gen/core';

/** An image of static programs, each at `/NAME`. */
export interface ProgramImage {
  readonly tag: string;
  /** Where the programs lie on this machine. */
  readonly directory: string;
  remove(): void;
}

/** @param sources C text by the program's name */
export function programImage(tag: string, sources: Readonly<Record<string, string>>): ProgramImage {
  const directory = mkdtempSync(join(tmpdir(), 'prof-gen-tracer-'));
  for (const [name, source] of Object.entries(sources)) {
    const file = join(directory, name);
    writeFileSync(`${file}.c`, source);
    execFileSync('gcc', ['-static', '-O1', '-pthread', '-o', file, `${file}.c`]);
  }
  const names = Object.keys(sources).join(' ');
  execFileSync('sh', ['-c', `tar -C ${directory} -c ${names} | docker import - ${tag}`]);
  return {
    tag,
    directory,
    remove() {
      spawnSync('docker', ['image', 'rm', '-f', tag]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A profile of everything but these; ENOSYS for some. `rules` come on top. */
export function profileWithout(
  denied: readonly string[],
  missing: readonly string[] = [],
  rules: readonly object[] = [],
): string {
  const allowed = x86_64Syscalls.names.filter((name) => !denied.includes(name) && !missing.includes(name));
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      { names: allowed, action: 'SCMP_ACT_ALLOW' },
      ...(missing.length === 0 ? [] : [{ names: missing, action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]),
      ...rules,
    ],
  });
}

/** Runs a command that ends by itself, and looks at nothing but its end. */
export const runOnce = (...cmd: string[]): Workload =>
  workloadSchema.parse({
    schemaVersion: 1,
    name: cmd.join(' '),
    description: 'a known program',
    cmd,
    ready: { exit: 0, timeout: 60 },
    steps: [],
  });

/** Calls of a program in the record, with their counts. */
export function callsOf(seen: Observation | Proof, path: string): Map<string, number> {
  const calls = seen.programs.find((program) => program.path === path)?.syscalls ?? [];
  return new Map(calls.map(({ number, count }) => [x86_64Syscalls.nameOf(number) ?? '?', count]));
}
