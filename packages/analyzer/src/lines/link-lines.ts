import type {
  Analysis,
  FileEntry,
  FileTree,
  LinkedObject,
  ProgramAnalysis,
  Reachability,
} from '@prof-gen/core';
import { type AnalyzeImageInput, linkImage } from '../analyze-image.js';
import { loaderFacts } from '../elf/loader-facts.js';
import type { LinkInput } from '../link/bind-symbols.js';
import { linkProgram } from '../link/link-program.js';
import { loadClosure } from '../loader/load-closure.js';
import { readLoaderConfig } from '../loader/loader-config.js';

export interface ComparedAnalysis {
  readonly analysis: Analysis;
  /** The same programs with the same objects, linked with another notion of reachability. */
  linkedBy(reachability: Reachability): readonly ProgramAnalysis[];
}

/** As `analyzeImage`; the result can be linked again with other notions of reachability. */
export async function analyzeForComparison(input: AnalyzeImageInput): Promise<ComparedAnalysis> {
  const { analysis, inputs } = await linkImage(input);
  return {
    analysis,
    linkedBy: (reachability) =>
      analysis.programs.map((program, i) => ({
        ...program,
        ...(reachability === analysis.reachability ? {} : linkedAgain(inputs[i] ?? [], reachability)),
      })),
  };
}

/** What holds in any environment. One reason for each call: nobody asks for more. */
function linkedAgain(
  inputs: readonly LinkInput[],
  reachability: Reachability,
): Pick<ProgramAnalysis, 'syscalls' | 'unresolved'> {
  const results = inputs.map((input) => linkProgram({ ...input, reachability }));
  const syscalls = new Map(
    results.flatMap((result) =>
      result.syscalls.map(
        ({ number, evidence }) => [number, { number, evidence: evidence.slice(0, 1) }] as const,
      ),
    ),
  );
  return {
    syscalls: [...syscalls.values()].sort((a, b) => a.number - b.number),
    unresolved: results.flatMap(({ unresolved }) => unresolved),
  };
}

/**
 * A program of the tree with all that it is linked to, in load order; empty where there is no such program. Nothing that
 * may be loaded later is among it.
 * @throws ProfGenError as `loadClosure`
 */
export async function linkedFiles(
  tree: FileTree,
  path: string,
): Promise<readonly { readonly entry: FileEntry; readonly role: LinkedObject['role'] }[]> {
  const target = tree.resolve(path);
  if (!target.ok || target.entry.kind !== 'elf') return [];
  const { objects } = await loadClosure({
    tree,
    program: target.entry,
    variables: { libraryPath: '', preload: '' },
    config: await readLoaderConfig(tree),
    dynamic: async (entry) => loaderFacts(await tree.read(entry)),
  });
  return objects.map(({ entry, role }) => ({ entry, role }));
}
