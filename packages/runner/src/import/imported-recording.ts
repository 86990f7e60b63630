import {
  executedProgram,
  type FileTree,
  type ImportedRecording,
  type ObservedProgram,
  x86_64Syscalls,
} from '@prof-gen/core';
import { straceRecording } from '@prof-gen/tracer';
import type { Recording } from './load-recordings.js';

/**
 * A recording as evidence for an image: its paths are the image's, links and `#!` followed.
 * @param tree the image's files
 */
export async function importedRecording(recording: Recording, tree: FileTree): Promise<ImportedRecording> {
  const { source, sha256 } = recording;
  if (recording.kind === 'strace') {
    const seen = await straceRecording(recording.log, (path) => executedProgram(tree, path));
    return { source, sha256, ...seen };
  }
  const numbers = recording.names.map((name) => x86_64Syscalls.numberOf(name));
  return {
    source,
    sha256,
    programs: [],
    syscalls: numbers.filter((number) => number !== undefined).sort((a, b) => a - b),
    leftOut: recording.names.filter((_, index) => numbers[index] === undefined),
  };
}

/** Observations of equal programs put together: what static analysis is to know of them. */
export function joinedPrograms(programs: readonly ObservedProgram[]): ObservedProgram[] {
  const byPath = new Map<string, ObservedProgram>();
  for (const program of programs) {
    const known = byPath.get(program.path);
    if (known === undefined) {
      byPath.set(program.path, program);
      continue;
    }
    const argvs = new Map([...known.argvs, ...program.argvs].map((argv) => [JSON.stringify(argv), argv]));
    const numbers = new Set(known.syscalls.map(({ number }) => number));
    byPath.set(program.path, {
      ...known,
      argvs: [...argvs.values()],
      objects: [...new Set([...known.objects, ...program.objects])].sort(),
      syscalls: [...known.syscalls, ...program.syscalls.filter(({ number }) => !numbers.has(number))],
    });
  }
  return [...byPath.values()];
}
