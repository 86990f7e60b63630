import { type Question, explainImage as explain } from '@prof-gen/analyzer';
import {
  type EventSink,
  type Explanation,
  formatPlatform,
  type ObservedProgram,
  type Platform,
  type Reachability,
  type RunOverrides,
  runCommandOf,
  syscallName,
  x86_64Syscalls,
} from '@prof-gen/core';
import { runtimeBaseFor } from '@prof-gen/profile';
import { openForAnalysis } from './open-for-analysis.js';
import { toolVersion } from './tool-version.js';
import type { Workbench } from './workbench.js';

export interface ExplainInput extends Question {
  /** For people and events. */
  readonly name: string;
  readonly reference: string;
  readonly platform?: Platform;
  readonly overrides: RunOverrides;
  readonly reachability?: Reachability;
  readonly isWantedProgram?: (path: string) => boolean;
  /** Programs that were seen to run: these are analysed too, with what they mapped. */
  readonly observed?: readonly ObservedProgram[];
}

/**
 * Why the programs of an image can make calls: static analysis alone, with the details of the few files that the
 * ways lead through.
 * @throws ProfGenError of the engines
 */
export async function explainImage(
  input: ExplainInput,
  workbench: Workbench,
  onEvent: EventSink,
): Promise<Explanation> {
  const { name, syscalls, unresolved, chains, isWantedObject, isWantedProgram, observed, reachability } =
    input;
  onEvent({ type: 'phase', image: name, phase: 'open' });
  const image = await openForAnalysis(input, workbench, onEvent);
  try {
    const command = runCommandOf(image.config, input.overrides);
    const { summarize, known, detail } = workbench.summarizer;
    const { analysis, answers } = await explain({
      tree: image.tree,
      command,
      healthcheck: image.config.healthcheck,
      shell: image.config.shell,
      summarize,
      known,
      detail,
      image: name,
      onEvent,
      question: { syscalls, unresolved, chains, ...(isWantedObject && { isWantedObject }) },
      ...(observed && { observed }),
      ...(isWantedProgram && { isWantedProgram }),
      ...(reachability && { reachability }),
    });
    const asked =
      syscalls === 'all' ? new Set(answers.flatMap(({ answer }) => [...answer.syscalls.keys()])) : syscalls;
    return {
      schemaVersion: 1,
      tool: {
        name: 'prof-gen',
        version: toolVersion,
        analyzer: analysis.analyzerVersion,
        reachability: analysis.reachability,
      },
      image: { reference: input.reference, digest: image.digest, platform: formatPlatform(image.platform) },
      command: [...command.argv],
      programs: answers.map(({ program }) => program),
      calls: [...asked]
        .sort((a, b) => a - b)
        .map((number) => ({
          name: syscallName(x86_64Syscalls, number),
          number,
          programs: answers.flatMap(({ program, answer }) => {
            const found = answer.syscalls.get(number);
            return found === undefined ? [] : [{ program, chains: [...found] }];
          }),
          others: otherReasons(number),
        })),
      ...(unresolved && {
        unresolved: answers
          .filter(({ answer }) => answer.unresolved.length > 0)
          .map(({ program, answer }) => ({ program, sites: [...answer.unresolved] })),
      }),
    };
  } finally {
    await image.close();
  }
}

/** Why a profile allows a call that no program makes. */
function otherReasons(number: number): string[] {
  const name = syscallName(x86_64Syscalls, number);
  const { syscalls } = runtimeBaseFor({ runtime: '', runtimeVersion: '' });
  return [
    ...(syscalls.includes(name) ? ['the container runtime makes it before the program starts'] : []),
    ...(name === 'restart_syscall' ? ['the kernel makes it after a signal'] : []),
  ];
}
