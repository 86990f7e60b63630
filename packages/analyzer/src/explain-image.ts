import { type Analysis, type Chain, type Outcome, ProfGenError, printable } from '@prof-gen/core';
import { type AnalyzeImageInput, linkImage, type Summarize } from './analyze-image.js';
import type { LinkInput } from './link/bind-symbols.js';
import { type Answer, explainProgram, type Question, type ReadDetail } from './link/explain-program.js';
import type { FileDetail } from './summary/file-summary.js';

export interface ExplainImageInput extends AnalyzeImageInput {
  readonly question: Question;
  /** Only programs with these paths are asked; absent: all. */
  readonly isWantedProgram?: (path: string) => boolean;
  /** As `summarize`, for what explanations need of a file besides its summary. */
  readonly detail: (file: Parameters<Summarize>[0]) => Promise<Outcome<FileDetail>>;
}

export interface ExplainedImage {
  readonly analysis: Analysis;
  /** For each program that was asked, in the analysis' order. */
  readonly answers: readonly { readonly program: string; readonly answer: Answer }[];
}

/** Analyses an image and says why its programs can make calls. @throws ProfGenError as `analyzeImage` */
export async function explainImage(input: ExplainImageInput): Promise<ExplainedImage> {
  const { tree, question, isWantedProgram = () => true } = input;
  const { analysis, inputs } = await linkImage(input);
  const readDetail: ReadDetail = async (sha256, path) => {
    const target = tree.resolve(path);
    const size = target.ok ? target.entry.size : 0;
    const read = async (): Promise<Uint8Array> => {
      if (target.ok) return tree.read(target.entry);
      throw new ProfGenError('image/content-not-kept', `${printable(path)} cannot be read again`);
    };
    const outcome = await input.detail({ sha256, path, size, read });
    return outcome.ok ? outcome.value : undefined;
  };
  const answers: { program: string; answer: Answer }[] = [];
  for (const [i, { path: program }] of analysis.programs.entries()) {
    if (!isWantedProgram(program)) continue;
    answers.push({ program, answer: await explainAll(inputs[i] ?? [], question, readDetail) });
  }
  return { analysis, answers };
}

/** What holds of a program in any of its environments, the shortest ways first. */
async function explainAll(
  inputs: readonly LinkInput[],
  question: Question,
  readDetail: ReadDetail,
): Promise<Answer> {
  const answers: Answer[] = [];
  for (const input of inputs) answers.push(await explainProgram(input, question, readDetail));
  const [only, ...others] = answers;
  if (only !== undefined && others.length === 0) return only;
  const shortest = <T extends Chain>(chains: readonly T[]): T[] =>
    [...new Map(chains.map((chain) => [JSON.stringify(chain), chain])).values()].sort(
      (a, b) => a.steps.length - b.steps.length,
    );
  const numbers = new Set(answers.flatMap(({ syscalls }) => [...syscalls.keys()]));
  return {
    syscalls: new Map(
      [...numbers]
        .sort((a, b) => a - b)
        .map((number) => [
          number,
          shortest(answers.flatMap(({ syscalls }) => syscalls.get(number) ?? [])).slice(0, question.chains),
        ]),
    ),
    unresolved: shortest(answers.flatMap(({ unresolved }) => unresolved)),
  };
}
