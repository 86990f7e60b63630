import type {
  Claims,
  EngineFacts,
  ErrorData,
  ImageComparison,
  Measures,
  ProfileDocument,
  RunComparison,
  SyscallFacts,
} from '@prof-gen/core';

/** One image that was finished, as plain data. */
export interface ReportImage {
  /** Its name in the dataset. */
  readonly name: string;
  /** Official image it stands for, with tag. */
  readonly official?: string;
  readonly category?: string;
  readonly document: ProfileDocument;
  /** The profile as Docker reads it; offered for download byte for byte. */
  readonly dockerProfile: string;
  /** Milliseconds by phase. */
  readonly timings: Readonly<Record<string, number>>;
  /** The profile beside Docker's default and published figures, where that was measured. */
  readonly measures?: Measures;
  /** Other methods' profiles of it, where the run has compared. */
  readonly comparison?: ImageComparison;
}

/** Everything that a report shows. */
export interface ReportInput {
  readonly title: string;
  readonly run: {
    readonly dataset: string;
    readonly toolVersion: string;
    readonly analyzerVersion: string;
    readonly engine?: EngineFacts;
  };
  readonly claims?: Claims;
  /** All lines, measured; absent when the run has not compared. */
  readonly comparison?: RunComparison;
  /** Calls that widen what an attacker can reach, and why. */
  readonly dangerous?: SyscallFacts['dangerous'];
  readonly images: readonly ReportImage[];
  readonly failures: readonly { readonly name: string; readonly error: ErrorData }[];
}
