import {
  type Denial,
  type ObservedProgram,
  type ProgramAnalysis,
  type StaticMiss,
  syscallName,
  x86_64Syscalls,
} from '@prof-gen/core';

/** Made by the kernel on a program's behalf: no instruction of any file has its number. */
const fromKernel = new Set(['restart_syscall']);

/**
 * Calls that were observed, or denied in a proof, and that the static set of the same program lacks: the
 * measure of soundness. A program that static analysis did not have at all is held against the union, since
 * the profile is one for all.
 */
export function staticMisses(
  programs: readonly ProgramAnalysis[],
  observed: readonly ObservedProgram[],
  denials: readonly Denial[],
): StaticMiss[] {
  const names = (program: ProgramAnalysis) =>
    program.syscalls.map(({ number }) => syscallName(x86_64Syscalls, number));
  const union = new Set(programs.flatMap(names));
  const own = new Map(programs.map((program) => [program.path, new Set(names(program))]));
  const misses = new Map<string, StaticMiss>();
  const check = (miss: StaticMiss) => {
    if (fromKernel.has(miss.name) || (own.get(miss.program) ?? union).has(miss.name)) return;
    const key = `${miss.name} ${miss.program}`;
    if (!misses.has(key)) misses.set(key, miss);
  };
  for (const program of observed) {
    for (const { number, process, phase } of program.syscalls) {
      check({ name: syscallName(x86_64Syscalls, number), program: program.path, process, phase });
    }
  }
  for (const { name, program, process, phase, expected } of denials) {
    if (!expected) check({ name, program, process, phase });
  }
  return [...misses.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, miss]) => miss);
}
