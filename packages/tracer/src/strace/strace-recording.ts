import {
  type ExecutedProgram,
  type ImportedRecording,
  syscallName,
  unknownProgram,
  x86_64Syscalls,
} from '@prof-gen/core';
import { compatBit } from '../program/bpf-program.js';
import { observedRecord, x32Bit } from '../record/observed-record.js';
import type { StraceLog } from './strace-log.js';

/** The phase of everything that was not recorded by Prof-gen. */
const recordedPhase = 'recorded';

/**
 * What a log of somebody else's strace tells.
 * @param resolve which program the kernel runs for a path, and through which interpreters
 */
export async function straceRecording(
  log: StraceLog,
  resolve: (path: string) => Promise<ExecutedProgram | undefined>,
): Promise<Pick<ImportedRecording, 'programs' | 'syscalls' | 'leftOut'>> {
  const { record, unattributed, unnumbered } = await log.record(resolve);
  const { programs, foreignCalls } = observedRecord([{ record, mounts: [] }], [recordedPhase]);
  const foreign = [
    ...foreignCalls.map(({ abi, number }) => `${abi}:${number}`),
    ...unattributed.flatMap(({ call }) => {
      if ((call & x32Bit) !== 0) return `x32:${call & ~x32Bit}`;
      return (call & compatBit) !== 0 ? `i386:${call & ~compatBit}` : [];
    }),
  ];
  const known = unattributed.filter(({ call }) => (call & (x32Bit | compatBit)) === 0);
  const syscalls = [...new Set(known.map(({ call }) => call))].sort((a, b) => a - b);
  const unnamed = [
    ...syscalls,
    ...programs.flatMap((program) => program.syscalls.map(({ number }) => number)),
  ]
    .filter((number) => x86_64Syscalls.nameOf(number) === undefined)
    .map((number) => syscallName(x86_64Syscalls, number));
  return {
    programs: programs.filter(({ path }) => path !== unknownProgram),
    syscalls,
    leftOut: [...new Set([...unnumbered, ...foreign, ...unnamed])].sort(),
  };
}
