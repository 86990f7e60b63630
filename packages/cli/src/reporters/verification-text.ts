import { type Denial, printable } from '@prof-gen/core';
import type { Verification } from '@prof-gen/runner';
import { chainLine } from './explanation-text.js';
import { textTable } from './text-table.js';

/** What came of running an image under a profile, for reading. */
export function verificationText({ image, proof, defects, explanation }: Verification): string {
  const { engine } = proof;
  const facts = [
    `image     ${printable(image.reference)} (${image.platform})`,
    `digest    ${image.digest}`,
    `test      ${printable(proof.workload)}`,
    `machine   ${engine.runtime} ${engine.runtimeVersion}, Linux ${engine.kernel}`,
    `result    ${proof.status}: ${count(defects.length, 'call')} denied, ${count(failedSteps(proof).length, 'failed step')}`,
  ];
  const phases = textTable(
    ['phase', 'steps', 'failed'],
    proof.phases.map(({ name, steps }) => [
      name,
      `${steps.length}`,
      `${steps.filter(({ passed }) => !passed).length}`,
    ]),
  );
  const meant = proof.denials.filter(({ expected }) => expected);
  const sections = [
    section('failed steps', failedSteps(proof)),
    defects.length === 0 ? '' : `denied\n${denialTable(defects)}`,
    meant.length === 0
      ? ''
      : `denied as meant: by Docker's default too, or so that the caller falls back\n${denialTable(meant)}`,
    section('what static analysis knows of them', [
      ...new Set(defects.map((defect) => known(defect, explanation))),
    ]),
  ];
  return [`${facts.join('\n')}\n`, phases, ...sections.filter((text) => text !== '')].join('\n');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

function failedSteps({ phases }: Verification['proof']): string[] {
  return phases.flatMap(({ name, steps }) =>
    steps.filter(({ passed }) => !passed).map((step) => `${name}: ${step.name}: ${step.detail}`),
  );
}

function denialTable(denials: readonly Denial[]): string {
  return textTable(
    ['call', 'arguments', 'program', 'process', 'phase', 'answer', 'times'],
    denials.map((denial) => [
      denial.name,
      denial.arguments?.map(({ index, value }) => `args[${index}] ${value}`).join(' ') ?? '',
      printable(denial.program),
      printable(denial.process),
      denial.phase,
      denial.errno,
      `${denial.count}`,
    ]),
  );
}

/** The way to the call in the program that was denied it. */
function known({ name, program }: Denial, explanation: Verification['explanation']): string {
  const found = explanation?.calls
    .find((call) => call.name === name)
    ?.programs.find((one) => one.program === program);
  const [chain] = found?.chains ?? [];
  const subject = `${name} by ${program}: `;
  if (chain !== undefined) return subject + chainLine(chain);
  const isAnalysed = explanation?.programs.includes(program) ?? false;
  return subject + (isAnalysed ? 'nothing leads to it: a static miss' : 'the program was not analysed');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `${title}\n${lines.map((line) => `  ${printable(line, 2_000)}\n`).join('')}`;
}
