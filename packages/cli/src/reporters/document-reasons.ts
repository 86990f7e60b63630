import { type Evidence, type ProfileDocument, printable, x86_64Syscalls } from '@prof-gen/core';
import { reasonText } from './reason-text.js';

export interface DocumentQuestion {
  readonly syscalls: 'all' | ReadonlySet<number>;
  readonly isWantedProgram?: ((path: string) => boolean) | undefined;
  readonly isWantedObject?: ((path: string) => boolean) | undefined;
}

/** The reasons for calls that a profile document holds. Ways are not in it: those need the image. */
export function documentReasons(document: ProfileDocument, question: DocumentQuestion): string {
  const { syscalls, isWantedProgram = () => true, isWantedObject = () => true } = question;
  const isWanted = (evidence: Evidence): boolean =>
    (!('program' in evidence) || isWantedProgram(evidence.program)) &&
    (evidence.kind !== 'static' || isWantedObject(evidence.object));
  const entries = [...document.syscalls, ...document.denied]
    .filter(({ name }) => syscalls === 'all' || syscalls.has(x86_64Syscalls.numberOf(name) ?? -1))
    .filter((entry) => syscalls !== 'all' || !('reason' in entry))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = entries.map((entry) => {
    const reasons = entry.evidence.filter(isWanted).map((one) => `    ${one.kind}: ${reasonText(one)}\n`);
    const state = 'reason' in entry ? `denied (${entry.errno}, ${entry.reason})` : 'allowed';
    return `${entry.name}: ${state}\n${reasons.join('')}`;
  });
  const hint = `ways to these sites: prof-gen explain ${printable(document.image.reference)} SYSCALL\n`;
  return [...lines, hint].join('\n');
}
