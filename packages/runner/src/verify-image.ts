import {
  type Denial,
  type Digest,
  type DockerProfile,
  type EventSink,
  type Explanation,
  formatPlatform,
  type Platform,
  type Proof,
  type Reachability,
  type RunOverrides,
  type Workload,
  x86_64Syscalls,
} from '@prof-gen/core';
import { defaultCapabilities, expectedDenialsOf, formatDockerProfile } from '@prof-gen/profile';
import type { LoadedImage } from '@prof-gen/tracer';
import { explainImage } from './explain-image.js';
import { inEngine } from './in-engine.js';
import { openForAnalysis } from './open-for-analysis.js';
import type { Workbench } from './workbench.js';

export interface VerifyImageInput {
  /** For people, events and container names. */
  readonly name: string;
  readonly reference: string;
  readonly platform?: Platform;
  readonly overrides: RunOverrides;
  readonly profile: DockerProfile;
  /** Without one the generic exercise is run. */
  readonly workload?: Workload;
  readonly reachability?: Reachability;
}

/** Whether a profile lets an image do its work, and what is known of each call that it denied. */
export interface Verification {
  readonly image: { readonly reference: string; readonly digest: Digest; readonly platform: string };
  readonly proof: Proof;
  /** Denials that make the proof fail. */
  readonly defects: readonly Denial[];
  /** Why programs make the calls of `defects`; absent where there are none. */
  readonly explanation?: Explanation;
}

/**
 * Runs an image under a profile that somebody has, and asks static analysis about what it denied.
 * @throws ProfGenError of the engines; a container that does not start under the profile is a failed proof
 */
export async function verifyImage(
  input: VerifyImageInput,
  workbench: Workbench,
  onEvent: EventSink,
): Promise<Verification> {
  const { name, overrides, profile, workload } = input;
  const { tracer } = workbench;
  if (tracer === undefined)
    throw new Error('a profile is verified by running it: this workbench has no tracer');
  onEvent({ type: 'phase', image: name, phase: 'open' });
  const image = await openForAnalysis(input, workbench, onEvent);
  let loaded: LoadedImage | undefined;
  try {
    loaded = await inEngine(image, tracer);
    onEvent({ type: 'phase', image: name, phase: 'prove' });
    const proof = await tracer.prove({
      name,
      image: loaded.reference,
      overrides,
      profile: formatDockerProfile(profile),
      workload,
      ...expectedDenialsOf(profile, { capabilities: defaultCapabilities, kernel: tracer.engine.kernel }),
    });
    const defects = proof.denials.filter(({ expected }) => !expected);
    const numbers = defects.map(({ number }) => number).filter((number) => x86_64Syscalls.nameOf(number));
    const programs = new Set(defects.map(({ program }) => program));
    const explanation =
      numbers.length === 0
        ? undefined
        : await explainImage(
            {
              ...input,
              observed: proof.programs,
              syscalls: new Set(numbers),
              unresolved: false,
              chains: 1,
              isWantedProgram: (path) => programs.has(path),
            },
            workbench,
            onEvent,
          );
    return {
      image: { reference: input.reference, digest: image.digest, platform: formatPlatform(image.platform) },
      proof,
      defects,
      ...(explanation && { explanation }),
    };
  } finally {
    await loaded?.remove();
    await image.close();
  }
}
