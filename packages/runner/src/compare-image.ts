import { libraryGraph, linkedFiles } from '@prof-gen/analyzer';
import {
  type ConfineFile,
  type ConfineProfile,
  cLibraryOf,
  confineFiles,
  confineMethod,
  languageOf,
} from '@prof-gen/comparator';
import {
  type Analysis,
  type ComparisonLine,
  type ConfineRecord,
  type Denial,
  type FileTree,
  type ImageComparison,
  type LibraryGraph,
  type Observation,
  type ObservedProgram,
  type Profile,
  ProfGenError,
  type ProgramAnalysis,
  type Proof,
  printable,
  type Reachability,
  type RuntimeBase,
  type SeenCall,
  syscallName,
  x86_64Syscalls,
} from '@prof-gen/core';
import { buildProfile, type ContainerFacts, dockerDefaultFor } from '@prof-gen/profile';
import type { LineDatasets } from './line-datasets.js';
import type { Summarizer } from './summarizer.js';

/** Notions of reachability that are lines of a comparison. */
export const comparedReachabilities = ['imports', 'address-taken'] as const satisfies readonly Reachability[];

/** Programs that Confine runs itself to look into a container; their libraries count among the container's. */
const confinesOwnPrograms = ['/usr/sbin/runuser', '/sbin/runuser'];

export interface CompareImageInput {
  readonly tree: FileTree;
  readonly analysis: Analysis;
  /** The programs by the other notions of reachability. */
  readonly others: ReadonlyMap<Reachability, readonly ProgramAnalysis[]>;
  readonly observation?: Observation | undefined;
  /** The last proof. */
  readonly proof?: Proof | undefined;
  readonly learned: readonly Denial[];
  readonly profile: Profile;
  readonly runtimeBase: RuntimeBase;
  readonly container: ContainerFacts;
  /** Official image that it stands for, with or without a tag. */
  readonly official?: string | undefined;
  readonly summarizer: Pick<Summarizer, 'lineFacts' | 'detail'>;
  readonly datasets: LineDatasets;
}

type Line = ImageComparison['lines'][number];

/** All lines of one image, from one analysis and one trace. */
export async function compareImage(input: CompareImageInput): Promise<ImageComparison> {
  const { analysis, observation, profile, runtimeBase, container, proof } = input;
  /** What such programs and such a trace show a need for, before Docker's default. */
  const needs = (
    line: ComparisonLine,
    programs: readonly ProgramAnalysis[],
    trace: Observation | undefined,
    learned: readonly Denial[] = [],
  ): Line =>
    lineOf(line, buildProfile({ programs: [...programs], observation: trace, runtimeBase, learned }).allowed);
  const docker = [...dockerDefaultFor(container).allowed].map(([name, when]) =>
    when === undefined ? { name } : { name, when },
  );
  const { line: confine, record, files } = await confineLine(input);
  const lines: Line[] = [
    lineOf('prof-gen', profile.allowed),
    needs('needed', analysis.programs, observation, input.learned),
    confine,
    lineOf('docker-default', docker),
    ...comparedReachabilities.map((reachability) =>
      needs(reachability, input.others.get(reachability) ?? [], undefined),
    ),
    ...(observation === undefined
      ? []
      : // Programs without calls of their own: what is seen counts, and nothing is guessed besides.
        [
          needs(
            'trace',
            analysis.programs.map((program) => ({ ...program, syscalls: [] })),
            observation,
          ),
        ]),
  ];
  const libraries = new Set(files.map(({ path }) => cLibraryOf(path)));
  return {
    schemaVersion: 1,
    language: languageOf(
      analysis.programs,
      new Set(files.flatMap(({ path, facts }) => (facts?.go ? [path] : []))),
    ),
    libc: libraries.has('musl') ? 'musl' : libraries.has('glibc') ? 'glibc' : 'none',
    lines,
    confine: record,
    ...(observation === undefined ? {} : { observed: seenCalls(observation.programs) }),
    ...(proof === undefined
      ? {}
      : {
          proof: {
            status: proof.status,
            seen: seenCalls(proof.programs),
            denied: distinct(proof.denials.filter(({ expected }) => !expected)),
          },
        }),
  };
}

function lineOf(
  line: ComparisonLine,
  calls: readonly { readonly name: string; readonly when?: unknown }[],
): Line {
  return {
    line,
    allowed: calls.map(({ name }) => name).sort(),
    conditional: calls.flatMap(({ name, when }) => (when === undefined ? [] : [name])).sort(),
  };
}

function seenCalls(programs: readonly ObservedProgram[]): SeenCall[] {
  return distinct(
    programs.flatMap(({ path, syscalls }) =>
      syscalls.map(({ number, phase }) => ({
        name: syscallName(x86_64Syscalls, number),
        program: printable(path),
        phase,
      })),
    ),
  );
}

/** Sorted by name and program. */
function distinct(calls: readonly SeenCall[]): SeenCall[] {
  const byKey = new Map(
    calls.map(({ name, program, phase }) => [`${name} ${program}`, { name, program, phase }]),
  );
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, call]) => call);
}

async function confineLine({
  tree,
  analysis,
  observation,
  official,
  summarizer,
  datasets,
}: CompareImageInput): Promise<{ line: Line; record: ConfineRecord; files: readonly ConfineFile[] }> {
  const selection = confineFiles(analysis.programs, observation?.programs);
  const chosen = new Map(selection.files);
  const broken: ConfineFile[] = [];
  for (const path of confinesOwnPrograms) {
    try {
      for (const { entry, role } of await linkedFiles(tree, path)) {
        if (role !== 'interpreter' && entry.digest !== undefined) {
          chosen.set(entry.path, entry.digest.slice('sha256:'.length));
        }
      }
    } catch (error) {
      // An image's file may be anything; the comparison is no reason to lose the image.
      if (!(error instanceof ProfGenError)) throw error;
      broken.push({ path });
    }
  }
  const readable = await Promise.all(
    [...chosen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, sha256]) => confineFile(tree, summarizer, path, sha256)),
  );
  const files = [...readable, ...broken];
  const repository = official?.split(':')[0];
  const handMade = datasets.handMade.images.find(({ name }) => name === repository);
  const found: ConfineProfile = confineMethod({
    files,
    decided: datasets.confine.decided,
    handMade: handMade?.syscalls,
  });
  return {
    line: lineOf(
      'confine',
      found.allowed.map((name) => ({ name })),
    ),
    record: {
      basis: selection.basis,
      programs: selection.programs.map((path) => printable(path)),
      files: files.length,
      unreadable: found.unreadable.map((path) => printable(path)),
      direct: [...found.direct],
      undecided: found.undecided,
      imported: [...found.imported],
      ...(handMade === undefined ? {} : { handMade: handMade.name }),
      java: found.java,
    },
    files,
  };
}

/** What Confine's method looks at in a file; without facts where the file cannot be read. */
export async function confineFile(
  tree: FileTree,
  summarizer: Pick<Summarizer, 'lineFacts' | 'detail'>,
  path: string,
  sha256: string,
): Promise<ConfineFile> {
  const target = tree.resolve(path);
  if (!target.ok) return { path };
  const { entry } = target;
  const file = { sha256, path, size: entry.size, read: () => tree.read(entry) };
  const facts = await summarizer.lineFacts(file);
  if (!facts.ok) return { path };
  return { path, facts: facts.value, graph: await graphOf(summarizer, file) };
}

async function graphOf(
  summarizer: Pick<Summarizer, 'detail'>,
  file: Parameters<Summarizer['detail']>[0],
): Promise<LibraryGraph | undefined> {
  if (cLibraryOf(file.path) === undefined) return undefined;
  const detail = await summarizer.detail(file);
  return detail.ok ? libraryGraph(detail.value) : undefined;
}
