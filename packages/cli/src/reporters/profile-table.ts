import { type ProfileDocument, printable } from '@prof-gen/core';
import { reasonText } from './reason-text.js';
import { textTable } from './text-table.js';

/** One image's profile for reading: what stands in it and the first reason for each call. */
export function profileTable(document: ProfileDocument): string {
  const { image, stats, proof } = document;
  const facts = [
    `image     ${printable(image.reference)} (${image.platform})`,
    `digest    ${image.digest}`,
    `command   ${printable(document.command.map((word) => JSON.stringify(word)).join(' '))}`,
    `status    ${document.status}`,
    `programs  ${stats.programs}, files ${stats.files}`,
    `calls     ${stats.allowed} allowed of ${stats.table}; static ${stats.static}, traced ${stats.traced}, Docker's default ${stats.dockerDefault}`,
  ];
  const calls = textTable(
    ['call', 'reasons', 'because'],
    document.syscalls.map(({ name, when, evidence }) => [
      when === undefined ? name : `${name} (some arguments)`,
      [...new Set(evidence.map(({ kind }) => kind))].join(' '),
      evidence[0] === undefined ? '' : reasonText(evidence[0]),
    ]),
  );
  const sections = [
    section(
      'programs',
      document.programs.map(
        ({ path, calledAs, syscalls }) =>
          `${path}${calledAs.length === 0 ? '' : ` (called as ${calledAs.join(', ')})`}: ${syscalls.length} calls`,
      ),
    ),
    section(
      'unresolved call sites',
      document.unresolved.map((u) => {
        const way = u.chain?.map((step) => step.function).join(' > ') ?? '';
        return `${u.program}: ${u.object} ${u.function} ${u.site}: ${u.reason}${way === '' ? '' : ` (${way})`}`;
      }),
    ),
    section(
      'undecided',
      document.undecided.map(
        (u) => `${u.where}${u.line === undefined ? '' : `:${u.line}`}: ${u.what}: ${u.reason}`,
      ),
    ),
    section(
      'static misses',
      document.staticMisses.map((m) => `${m.name} by ${m.program} (${m.process}, ${m.phase})`),
    ),
    section(
      'denied in the proof',
      (proof?.denials ?? []).map(
        (d) =>
          `${d.name} by ${d.program} (${d.process}, ${d.phase}): ${d.errno}${d.expected ? ', as meant' : ''}`,
      ),
    ),
    section(
      'failed steps of the proof',
      (proof?.phases ?? []).flatMap(({ name, steps }) =>
        steps.filter(({ passed }) => !passed).map((step) => `${name}: ${step.name}: ${step.detail}`),
      ),
    ),
  ];
  return [`${facts.join('\n')}\n`, calls, ...sections.filter((text) => text !== '')].join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${printable(line)}\n`).join('')}`;
}
