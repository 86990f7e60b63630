import { analyzerVersion } from '@prof-gen/analyzer';
import {
  type Analysis,
  type Digest,
  type ImportedRecording,
  formatPlatform,
  type Observation,
  type Platform,
  type Profile,
  type ProfileDocument,
  type ProfileStatus,
  type Proof,
  type RunCommand,
  syscallName,
  x86_64Syscalls,
} from '@prof-gen/core';
import { joinedPrograms } from './import/imported-recording.js';
import { staticMisses } from './static-misses.js';
import { toolVersion } from './tool-version.js';

export interface DocumentInput {
  readonly image: { readonly reference: string; readonly digest: Digest; readonly platform: Platform };
  readonly command: RunCommand;
  readonly analysis: Analysis;
  readonly profile: Profile;
  /** Calls that Docker's default profile allows to this container. */
  readonly dockerDefault: ReadonlySet<string>;
  readonly observation?: Observation;
  /** What other tools recorded. */
  readonly imports: readonly ImportedRecording[];
  /** All proofs, in order: with `--learn` there are several, and the last one counts. */
  readonly proofs: readonly Proof[];
}

const sortedNames = (numbers: Iterable<number>) =>
  [...new Set(numbers)].map((number) => syscallName(x86_64Syscalls, number)).sort();

/** Everything known of one image, put together; pure, so equal inputs give equal bytes. */
export function profileDocument(input: DocumentInput): ProfileDocument {
  const { analysis, imports, observation, profile, proofs } = input;
  const proof = proofs.at(-1);
  const analysed = new Set(analysis.programs.map(({ path }) => path));
  const imported = imports.flatMap(({ programs }) => programs);
  const observed = [
    ...(observation?.programs ?? []),
    ...proofs.flatMap(({ programs }) => programs),
    // A recording may be of other programs than the image's.
    ...imported.filter(({ path }) => analysed.has(path)),
  ];
  const denials = proofs.flatMap((one) => one.denials);
  const traced = joinedPrograms([...(observation?.programs ?? []), ...imported]);
  const tracedBy = new Map(traced.map(({ path, syscalls }) => [path, syscalls]));
  const tracedNumbers = [
    ...traced.flatMap(({ syscalls }) => syscalls.map(({ number }) => number)),
    ...imports.flatMap(({ syscalls }) => syscalls),
  ];
  return {
    schemaVersion: 1,
    tool: {
      name: 'prof-gen',
      version: toolVersion,
      analyzer: analyzerVersion,
      reachability: analysis.reachability,
    },
    status: statusOf(analysis, observation !== undefined || imports.length > 0, proof),
    image: {
      reference: input.image.reference,
      digest: input.image.digest,
      platform: formatPlatform(input.image.platform),
    },
    command: [...input.command.argv],
    programs: analysis.programs.map(({ path, calledAs, sha256, origin, objects, syscalls }) => ({
      path,
      calledAs,
      sha256,
      origin,
      objects,
      syscalls: sortedNames(syscalls.map(({ number }) => number)),
      traced: sortedNames((tracedBy.get(path) ?? []).map(({ number }) => number)),
    })),
    syscalls: profile.allowed,
    unresolved: analysis.programs.flatMap(({ unresolved }) => unresolved),
    undecided: analysis.undecided,
    denied: profile.denied,
    staticMisses: staticMisses(analysis.programs, observed, denials),
    ...(observation && {
      observation: {
        method: observation.method,
        engine: observation.engine,
        ioUring: observation.ioUring,
        phases: observation.phases,
        denials: observation.denials,
      },
    }),
    ...(imports.length > 0 && {
      imports: imports.map(({ source, sha256, programs, syscalls, leftOut }) => ({
        source,
        sha256,
        programs: programs.map(({ path }) => path),
        syscalls: sortedNames([
          ...syscalls,
          ...programs.flatMap((program) => program.syscalls.map(({ number }) => number)),
        ]),
        leftOut,
      })),
    }),
    ...(proof && {
      proof: {
        status: proof.status,
        workload: proof.workload,
        phases: proof.phases,
        denials: proof.denials,
      },
    }),
    stats: {
      programs: analysis.programs.length,
      files: analysis.files,
      static: new Set(analysis.programs.flatMap(({ syscalls }) => syscalls.map(({ number }) => number))).size,
      traced: new Set(tracedNumbers).size,
      allowed: profile.allowed.length,
      dockerDefault: input.dockerDefault.size,
      denied: profile.denied.length,
      table: x86_64Syscalls.names.length,
    },
  };
}

function statusOf(analysis: Analysis, isObserved: boolean, proof: Proof | undefined): ProfileStatus {
  if (proof !== undefined) return proof.status === 'passed' ? 'proven' : 'failed';
  if (analysis.programs.some(({ unresolved }) => unresolved.length > 0)) return 'incomplete';
  return isObserved ? 'observed' : 'static';
}
