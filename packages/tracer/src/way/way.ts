import type { FileTree, ObservationMethod } from '@prof-gen/core';
import type { Container } from '../container/container.js';
import type { Gate } from '../gate/gate.js';
import type { ObservedRecord } from '../record/observed-record.js';

/** What a way may have to know of a run. */
export interface WatchedImage {
  /** Working directory of the container's first program. */
  readonly workingDir: string;
  /** The image's files, for names that are links or scripts; names are taken as they are without it. */
  readonly tree: FileTree | undefined;
  /** Numbers of calls that the container's seccomp filter denies whatever their arguments. */
  readonly filtered: ReadonlySet<number>;
}

/** A way to see what containers do. */
export interface Way {
  readonly method: Exclude<ObservationMethod, 'import'>;
  watch(image: WatchedImage): Promise<Watch>;
  close(): Promise<void>;
}

/** What is seen of the containers of one run. */
export interface Watch {
  /** Has to stand before every program that the engine starts; none where programs are seen in any case. */
  readonly gate: Gate | undefined;
  /**
   * What the container does from its start on is seen, and counted under this phase until the next.
   * @param judged numbers of the calls that its filter may answer by more than their number
   */
  add(container: Container, phase: number, judged: ReadonlySet<number>): Promise<void>;
  /** What the containers do from now on belongs to this phase. */
  phase(phase: number): void;
  /**
   * What was seen so far.
   * @param phases names by number
   */
  record(phases: readonly string[]): Promise<WatchRecord>;
  /** How the run is watched once more when it was not seen completely, in words and in deed; undefined for no more. */
  again(): { readonly how: string; readonly watch: () => Promise<Watch> } | undefined;
  /** Ends it. The containers have been removed before. */
  close(): Promise<void>;
}

export interface WatchRecord {
  readonly record: ObservedRecord;
  /** Whether nothing of it can be missing. */
  readonly complete: boolean;
}
