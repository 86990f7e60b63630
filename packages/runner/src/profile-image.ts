import { type AnalyzeImageInput, analyzeForComparison, analyzeImage } from '@prof-gen/analyzer';
import {
  type Denial,
  type EventSink,
  type ImageComparison,
  type ImagePhase,
  type Platform,
  type Profile,
  type ProfileDocument,
  type Proof,
  type Reachability,
  type RunOverrides,
  type RuntimeBase,
  runCommandOf,
  type Workload,
  x86_64Syscalls,
} from '@prof-gen/core';
import {
  buildProfile,
  defaultCapabilities,
  dockerDefaultAllows,
  expectedDenials,
  renderDockerProfile,
  runtimeBaseFor,
} from '@prof-gen/profile';
import type { LoadedImage } from '@prof-gen/tracer';
import { comparedReachabilities, compareImage } from './compare-image.js';
import { importedRecording, joinedPrograms } from './import/imported-recording.js';
import type { Recording } from './import/load-recordings.js';
import { inEngine } from './in-engine.js';
import { loadLineDatasets } from './line-datasets.js';
import { openForAnalysis } from './open-for-analysis.js';
import { profileDocument } from './profile-document.js';
import type { Workbench } from './workbench.js';

export interface ProfileImageInput {
  /** For people, events and container names. */
  readonly name: string;
  readonly reference: string;
  readonly platform?: Platform;
  readonly overrides: RunOverrides;
  /** Run in the proof only. */
  readonly workload?: Workload;
  /** Run while observing: the profile learns from it. */
  readonly observe?: Workload;
  /** What other tools recorded: evidence besides what is observed. */
  readonly recordings?: readonly Recording[];
  /** Add what a proof denies, marked so, and prove again. */
  readonly learn: boolean;
  /** Keep denied what Docker's default denies to such a container. */
  readonly intersectDockerDefault: boolean;
  /** Measured on this machine; what is known of the engine's runtime unless said. */
  readonly runtimeBase?: RuntimeBase;
  /** What counts as reachable; `objects` unless said. */
  readonly reachability?: Reachability;
  /** Compute other methods' profiles of the same image, too. */
  readonly compare?: boolean;
  /** Official image that it stands for, with or without a tag: some methods know images by name. */
  readonly official?: string;
}

export interface ProfiledImage {
  readonly document: ProfileDocument;
  /** The profile as Docker takes it. */
  readonly dockerProfile: string;
  /** When it was asked for. */
  readonly comparison?: ImageComparison;
  /** Milliseconds by phase; bookkeeping, never part of the document. */
  readonly timings: Readonly<Partial<Record<ImagePhase, number>>>;
}

/** A profile that needs more rounds than this is not learning a rest but the program. */
const learningRounds = 5;

/** Numbers of the calls that a profile allows with no arguments at all. */
function deniedNumbers(allowed: ReadonlySet<string>): ReadonlySet<number> {
  const denied = x86_64Syscalls.names.filter((name) => !allowed.has(name));
  return new Set(denied.flatMap((name) => x86_64Syscalls.numberOf(name) ?? []));
}

/**
 * The way of one image (ARCHITECTURE.md): open, observe, find programs, summarise and link, build, prove.
 * @throws ProfGenError of the engines
 */
export async function profileImage(
  input: ProfileImageInput,
  workbench: Workbench,
  onEvent: EventSink,
): Promise<ProfiledImage> {
  const { name } = input;
  const { tracer, signal } = workbench;
  const timings: Partial<Record<ImagePhase, number>> = {};
  const timed = async <T>(phase: ImagePhase, work: () => T | Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    onEvent({ type: 'phase', image: name, phase });
    const started = performance.now();
    try {
      return await work();
    } finally {
      timings[phase] = (timings[phase] ?? 0) + performance.now() - started;
    }
  };

  const image = await timed('open', () => openForAnalysis(input, workbench, onEvent));
  let inTheEngine: LoadedImage | undefined;
  try {
    const command = runCommandOf(image.config, input.overrides);
    const container = {
      capabilities: defaultCapabilities,
      ...(tracer === undefined ? {} : { kernel: tracer.engine.kernel }),
    };
    const dockerDefault = dockerDefaultAllows(container);
    const seen =
      tracer &&
      (await timed('observe', async () => {
        inTheEngine = await inEngine(image, tracer);
        const engineImage = inTheEngine.reference;
        const observation = await tracer.observe({
          name,
          image: engineImage,
          overrides: input.overrides,
          tree: image.tree,
          deniedByDefault: deniedNumbers(dockerDefault),
          ...(input.observe === undefined ? {} : { workload: input.observe }),
        });
        return { tracer, engineImage, observation };
      }));
    const observation = seen?.observation;
    const imports = await Promise.all(
      (input.recordings ?? []).map((recording) => importedRecording(recording, image.tree)),
    );
    for (const { source, leftOut } of imports) {
      if (leftOut.length === 0) continue;
      const message = `${source.file} has calls that no x86-64 profile names, left out: ${leftOut.join(', ')}`;
      onEvent({ type: 'note', image: name, message });
    }
    const observed = joinedPrograms([
      ...(observation?.programs ?? []),
      ...imports.flatMap(({ programs }) => programs),
    ]);
    const analyzeInput: AnalyzeImageInput = {
      tree: image.tree,
      command,
      healthcheck: image.config.healthcheck,
      shell: image.config.shell,
      ...(observed.length === 0 ? {} : { observed }),
      summarize: workbench.summarizer.summarize,
      known: workbench.summarizer.known,
      ...(input.reachability === undefined ? {} : { reachability: input.reachability }),
      image: name,
      onEvent,
    };
    const compared =
      input.compare === true ? await timed('summarise', () => analyzeForComparison(analyzeInput)) : undefined;
    const analysis = compared?.analysis ?? (await timed('summarise', () => analyzeImage(analyzeInput)));
    // Before the proof, so that summaries need not be kept meanwhile.
    const others =
      compared &&
      (await timed(
        'compare',
        () => new Map(comparedReachabilities.map((kind) => [kind, compared.linkedBy(kind)] as const)),
      ));

    const runtimeBase =
      input.runtimeBase ?? runtimeBaseFor(tracer?.engine ?? { runtime: '', runtimeVersion: '' });
    const build = (learned: readonly Denial[]): Profile =>
      buildProfile({
        programs: analysis.programs,
        observation,
        imports,
        runtimeBase,
        learned,
        ...(input.intersectDockerDefault ? { dockerDefault: container } : {}),
      });
    let profile = await timed('build', () => build([]));

    const proofs: Proof[] = [];
    const learned: Denial[] = [];
    const { workload } = input;
    if (seen !== undefined && workload !== undefined) {
      for (let round = 1; ; round += 1) {
        const proof = await timed('prove', () =>
          seen.tracer.prove({
            name,
            image: seen.engineImage,
            overrides: input.overrides,
            profile: renderDockerProfile(profile),
            workload,
            ...expectedDenials(profile, container),
          }),
        );
        proofs.push(proof);
        const missing = proof.denials.filter(({ expected }) => !expected);
        if (!input.learn || missing.length === 0 || round === learningRounds) break;
        learned.push(...missing);
        const wider = build(learned);
        if (wider.allowed.length === profile.allowed.length) break;
        profile = wider;
      }
    }

    const comparison =
      others &&
      (await timed('compare', async () =>
        compareImage({
          tree: image.tree,
          analysis,
          others,
          observation,
          proof: proofs.at(-1),
          learned,
          profile,
          runtimeBase,
          container,
          official: input.official,
          summarizer: workbench.summarizer,
          datasets: await loadLineDatasets(),
        }),
      ));
    const document = profileDocument({
      image: { reference: input.reference, digest: image.digest, platform: image.platform },
      command,
      analysis,
      profile,
      dockerDefault,
      ...(observation === undefined ? {} : { observation }),
      imports,
      proofs,
    });
    return {
      document,
      dockerProfile: renderDockerProfile(profile),
      ...(comparison === undefined ? {} : { comparison }),
      timings,
    };
  } finally {
    await inTheEngine?.remove();
    await image.close();
  }
}
