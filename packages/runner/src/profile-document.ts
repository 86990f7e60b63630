import { analyzerVersion } from '@prof-gen/analyzer';
import {
  type Analysis,
  type Digest,
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
  /** All proofs, in order: with `--learn` there are several, and the last one counts. */
  readonly proofs: readonly Proof[];
}

const sortedNames = (numbers: Iterable<number>) =>
  [...new Set(numbers)].map((number) => syscallName(x86_64Syscalls, number)).sort();

/** Everything known of one image, put together; pure, so equal inputs give equal bytes. */
export function profileDocument(input: DocumentInput): ProfileDocument {
  const { analysis, observation, profile, proofs } = input;
  const proof = proofs.at(-1);
  const observed = [...(observation?.programs ?? []), ...proofs.flatMap(({ programs }) => programs)];
  const denials = proofs.flatMap((one) => one.denials);
  const tracedBy = new Map(observation?.programs.map(({ path, syscalls }) => [path, syscalls]));
  return {
    schemaVersion: 1,
    tool: {
      name: 'prof-gen',
      version: toolVersion,
      analyzer: analyzerVersion,
      reachability: analysis.reachability,
    },
    status: statusOf(analysis, observation, proof),
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
      traced: new Set(observation?.programs.flatMap(({ syscalls }) => syscalls.map(({ number }) => number)))
        .size,
      allowed: profile.allowed.length,
      dockerDefault: input.dockerDefault.size,
      denied: profile.denied.length,
      table: x86_64Syscalls.names.length,
    },
  };
}

function statusOf(
  analysis: Analysis,
  observation: Observation | undefined,
  proof: Proof | undefined,
): ProfileStatus {
  if (proof !== undefined) return proof.status === 'passed' ? 'proven' : 'failed';
  if (analysis.programs.some(({ unresolved }) => unresolved.length > 0)) return 'incomplete';
  return observation === undefined ? 'static' : 'observed';
}
