import { constants } from 'node:os';
import {
  type Denial,
  type FailedExec,
  type ForeignCall,
  type ObservedProgram,
  syscallName,
  x86_64Syscalls,
} from '@prof-gen/core';
import { compatBit } from '../program/bpf-program.js';
import type { Mount } from './mounts.js';
import { pathInContainer } from './mounts.js';
import type { SlotRecord } from './trace-log.js';

/** A denial with all six arguments of the first such call, hexadecimal with `0x`, where they are known. */
export type DeniedCall = Omit<Denial, 'expected' | 'arguments'> & {
  readonly values: readonly string[] | undefined;
};

/** What was seen of the containers of one run, in the vocabulary of the other packages. */
export interface ObservedRecord {
  readonly programs: ObservedProgram[];
  readonly denials: DeniedCall[];
  readonly failedExecs: FailedExec[];
  readonly foreignCalls: ForeignCall[];
  readonly ioUring: boolean;
  /** What is counted and was never told of (a program's path, a first call or denial): lines were lost. */
  readonly holes: number;
}

export const x32Bit = 1 << 30;
const ioUringSetup = x86_64Syscalls.numberOf('io_uring_setup');
const errnoNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** Name of an error number, such as EPERM; several names share some numbers, the first of errno(3) is taken. */
function errnoName(error: number): string {
  return errnoNames.get(error) ?? `errno ${error}`;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function abiOf(call: number): 'x86-64' | 'i386' | 'x32' {
  if ((call & x32Bit) !== 0) return 'x32';
  return (call & compatBit) !== 0 ? 'i386' : 'x86-64';
}

/**
 * Merges the slots of a run: equal paths are one program.
 * @param phases names by number
 */
export function observedRecord(
  slots: readonly { readonly record: SlotRecord; readonly mounts: readonly Mount[] }[],
  phases: readonly string[],
): ObservedRecord {
  const phaseName = (phase: number): string => phases[phase] ?? `phase ${phase}`;
  const paths = new Map<bigint, string>();
  const programs = new Map<
    string,
    {
      phase: number;
      argvs: Map<string, readonly string[]>;
      objects: Set<string>;
      calls: Map<number, { count: number; phase: number; process: string }>;
    }
  >();
  const holes = new Set<string>();

  for (const { record, mounts } of slots) {
    for (const seen of record.programs) {
      if (seen.file === undefined) continue;
      const path = pathInContainer(seen.file, mounts);
      paths.set(seen.mark, path);
      const program = programs.get(path) ?? {
        phase: Number.MAX_SAFE_INTEGER,
        argvs: new Map<string, readonly string[]>(),
        objects: new Set<string>(),
        calls: new Map<number, { count: number; phase: number; process: string }>(),
      };
      programs.set(path, program);
      for (const { phase, argv } of seen.execs) {
        program.phase = Math.min(program.phase, phase);
        program.argvs.set(argv.join('\0'), argv);
      }
      for (const object of seen.objects) program.objects.add(pathInContainer(object, mounts));
    }
  }
  const pathOf = (mark: bigint): string => {
    const path = paths.get(mark);
    if (path === undefined) holes.add(`program ${mark}`);
    return path ?? '?';
  };

  const foreign = new Map<string, ForeignCall>();
  const denials = new Map<string, DeniedCall>();
  const failed = new Map<string, FailedExec>();
  let ioUring = false;
  for (const { record } of slots) {
    const inOrder = [...record.calls].sort((a, b) => (a.first?.phase ?? 0) - (b.first?.phase ?? 0));
    for (const { first, ...seen } of inOrder) {
      const path = pathOf(seen.mark);
      if (first === undefined) {
        holes.add(`call ${seen.mark} ${seen.call}`);
        continue;
      }
      const abi = abiOf(seen.call);
      if (abi === 'x86-64') {
        if (seen.call === ioUringSetup) ioUring = true;
        const calls = programs.get(path)?.calls;
        const known = calls?.get(seen.call);
        const { phase, process } = known === undefined || first.phase < known.phase ? first : known;
        calls?.set(seen.call, { count: (known?.count ?? 0) + seen.count, phase, process });
        continue;
      }
      const number = abi === 'x32' ? seen.call & ~x32Bit : seen.call & ~compatBit;
      const key = `${abi} ${number} ${path}`;
      const known = foreign.get(key);
      foreign.set(key, {
        abi,
        number,
        program: path,
        process: known?.process ?? first.process,
        phase: known?.phase ?? phaseName(first.phase),
        count: (known?.count ?? 0) + seen.count,
      });
    }
    for (const seen of record.denials) {
      if (seen.process === undefined)
        holes.add(`denial ${seen.mark} ${seen.phase} ${seen.call} ${seen.error}`);
      const abi = abiOf(seen.call);
      const name =
        abi === 'x86-64'
          ? syscallName(x86_64Syscalls, seen.call)
          : `${abi}:${seen.call & ~x32Bit & ~compatBit}`;
      const program = pathOf(seen.mark);
      const phase = phaseName(seen.phase);
      const errno = errnoName(seen.error);
      const key = [name, program, phase, errno].join('\0');
      const known = denials.get(key);
      denials.set(key, {
        number: seen.call,
        name,
        program,
        process: known?.process ?? seen.process ?? '?',
        phase,
        errno,
        count: (known?.count ?? 0) + seen.count,
        values: known === undefined ? seen.values : known.values,
      });
    }
    for (const seen of record.failedExecs) {
      const value = {
        path: seen.path,
        program: pathOf(seen.mark),
        phase: phaseName(seen.phase),
        errno: errnoName(seen.error),
      };
      failed.set(Object.values(value).join('\0'), value);
    }
  }
  const sorted = <T>(values: Map<string, T>): T[] =>
    [...values].sort(([a], [b]) => byText(a, b)).map(([, value]) => value);

  const missing = slots.reduce((sum, { record }) => sum + record.missing, 0);
  return {
    programs: [...programs]
      .sort(([a], [b]) => byText(a, b))
      .map(([path, program]) => ({
        path,
        argvs: sorted(program.argvs).map((argv) => [...argv]),
        objects: [...program.objects].sort(byText),
        syscalls: [...program.calls]
          .sort(([a], [b]) => a - b)
          .map(([number, call]) => ({
            number,
            count: call.count,
            process: call.process,
            phase: phaseName(call.phase),
          })),
        phase: phaseName(program.phase),
      })),
    denials: sorted(denials),
    failedExecs: sorted(failed),
    foreignCalls: sorted(foreign),
    ioUring,
    holes: holes.size + missing,
  };
}
