import {
  type Denial,
  type Evidence,
  type ImportedRecording,
  type Observation,
  ProfGenError,
  type ProgramAnalysis,
  printable,
  type RuntimeBase,
  unknownProgram,
  x86_64Syscalls,
} from '@prof-gen/core';

export interface NeedsInput {
  readonly programs: readonly ProgramAnalysis[];
  readonly observation?: Observation | undefined;
  /** What other tools recorded. */
  readonly imports?: readonly ImportedRecording[] | undefined;
  readonly runtimeBase: RuntimeBase;
  readonly learned?: readonly Denial[] | undefined;
  readonly extra?: readonly { readonly name: string; readonly reason: string }[] | undefined;
}

/** Calls that have a vDSO function on x86-64 (vdso(7)): it makes the real call where the clock source needs it. */
const vdsoSyscalls = ['clock_getres', 'clock_gettime', 'getcpu', 'gettimeofday', 'time'];

/**
 * All reasons for each call, by name. Numbers that the table lacks are left out: no filter can name them,
 * and the kernel itself answers them with ENOSYS.
 * @throws ProfGenError `usage/syscall`: `extra` names a call that does not exist
 */
export function syscallNeeds(input: NeedsInput): ReadonlyMap<string, readonly Evidence[]> {
  const needs = new Map<string, Evidence[]>();
  const add = (name: string | undefined, evidence: Evidence) => {
    if (name === undefined) return;
    const present = needs.get(name);
    if (present === undefined) needs.set(name, [evidence]);
    else present.push(evidence);
  };

  add('restart_syscall', { kind: 'kernel', reason: 'resumes a call that a signal interrupted' });
  const { runtime, version } = input.runtimeBase;
  for (const name of input.runtimeBase.syscalls) add(name, { kind: 'runtime-base', runtime, version });

  for (const program of input.programs) {
    for (const { number, evidence } of program.syscalls) {
      for (const one of evidence) add(x86_64Syscalls.nameOf(number), one);
    }
  }

  const { observation } = input;
  if (observation !== undefined) {
    const { method } = observation;
    const analysed = new Set(input.programs.map(({ path }) => path));
    for (const { path, syscalls } of observation.programs) {
      for (const { number, process, phase } of syscalls) {
        add(x86_64Syscalls.nameOf(number), { kind: 'traced', program: path, process, phase, method });
      }
      // The tracer cannot see a vDSO call; analysis sees its fallback in the library, where there was analysis.
      if (!analysed.has(path)) {
        for (const name of vdsoSyscalls) {
          add(name, { kind: 'kernel', reason: 'fallback of a vDSO call, which tracing cannot see' });
        }
      }
    }
    // Denied by Docker's default while observed: wanted nevertheless, and decided below by that same default.
    for (const { number, program, process, phase } of observation.denials) {
      add(x86_64Syscalls.nameOf(number), { kind: 'traced', program, process, phase, method });
    }
  }

  for (const { source, programs, syscalls } of input.imports ?? []) {
    const common = { kind: 'traced', method: 'import', source } as const;
    for (const { path, syscalls: calls } of programs) {
      for (const { number, process, phase } of calls) {
        add(x86_64Syscalls.nameOf(number), { ...common, program: path, process, phase });
      }
    }
    for (const number of syscalls) {
      const nobody = { program: unknownProgram, process: unknownProgram, phase: 'recorded' };
      add(x86_64Syscalls.nameOf(number), { ...common, ...nobody });
    }
  }

  for (const { number, program, process, phase } of input.learned ?? []) {
    add(x86_64Syscalls.nameOf(number), { kind: 'learned', program, process, phase });
  }
  for (const { name, reason } of input.extra ?? []) {
    if (x86_64Syscalls.numberOf(name) === undefined) {
      throw new ProfGenError('usage/syscall', `"${printable(name)}" is not a system call of x86-64`, {
        hint: 'use the names of syscalls(2), such as openat',
      });
    }
    add(name, { kind: 'user', reason });
  }
  return needs;
}
