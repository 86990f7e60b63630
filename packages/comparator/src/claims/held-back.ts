import {
  type AllowedSyscall,
  type ConfinePublished,
  type CountedCalls,
  compareStrings,
  type HeldBack,
  type ImageComparison,
  type KeptReason,
  keptReasons,
  type ProfileDocument,
} from '@prof-gen/core';

export interface HeldBackInput {
  /** In percent. */
  readonly target: number;
  readonly reached: boolean;
  readonly images: readonly { readonly document: ProfileDocument; readonly comparison: ImageComparison }[];
  readonly confine: ConfinePublished;
  /** Calls that Docker's default profile allows to the container. */
  readonly dockerDefault: ReadonlySet<string>;
}

/** What the calls that stay allowed rest on, counted over images, in Confine's universe. */
export function heldBack({ target, reached, images, confine, dockerDefault }: HeldBackInput): HeldBack {
  const undeniable = confine.universe - confine.decided.length;
  const kept = new Map(keptReasons.map((reason) => [reason, { both: counter(), oursAlone: counter() }]));
  const ourNeed = counter();
  const theirNeed = counter();
  let ours = 0;
  let theirs = 0;
  for (const { document, comparison } of images) {
    const line = (name: string) =>
      new Set(comparison.lines.find((one) => one.line === name)?.allowed ?? ([] as string[]));
    const [profile, needed, method] = [line('prof-gen'), line('needed'), line('confine')];
    const evidence = new Map(document.syscalls.map((call) => [call.name, call]));
    const tested = new Set((comparison.proof?.seen ?? []).map(({ name }) => name));
    ours += undeniable;
    theirs += undeniable;
    for (const name of confine.decided) {
      if (method.has(name)) theirs += 1;
      if (!dockerDefault.has(name)) {
        if (needed.has(name) && !profile.has(name)) ourNeed.add(name);
        if (method.has(name)) theirNeed.add(name);
      }
      if (!profile.has(name)) continue;
      ours += 1;
      const counts = kept.get(keptReason(evidence.get(name), tested.has(name)));
      (method.has(name) ? counts?.both : counts?.oursAlone)?.add(name);
    }
  }
  return {
    target,
    reached,
    images: images.length,
    ours,
    theirs,
    reasons: [...kept].map(([reason, { both, oursAlone }]) => ({
      reason,
      both: both.counted(),
      oursAlone: oursAlone.counted(),
    })),
    undeniable,
    dockerDefault: { ours: ourNeed.counted(), theirs: theirNeed.counted() },
  };
}

/** The first of `keptReasons` that fits. */
function keptReason(call: AllowedSyscall | undefined, tested: boolean): KeptReason {
  const kinds = new Set(call?.evidence.map(({ kind }) => kind));
  if (kinds.has('traced')) return 'observed';
  if (tested && kinds.has('static')) return 'tested';
  if (kinds.has('runtime-base')) return 'runtime';
  return kinds.has('static') ? 'code' : 'other';
}

function counter(): { add: (name: string) => void; counted: () => CountedCalls } {
  const images = new Map<string, number>();
  return {
    add: (name) => void images.set(name, (images.get(name) ?? 0) + 1),
    counted: () => ({
      count: [...images.values()].reduce((sum, each) => sum + each, 0),
      calls: [...images]
        .map(([name, count]) => ({ name, images: count }))
        .sort((a, b) => b.images - a.images || compareStrings(a.name, b.name)),
    }),
  };
}
