import type { EngineFacts, ErrorData, Measures, ProfileDocument } from '@prof-gen/core';

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
  /** Comparison with other methods, where it was made. */
  readonly measures?: Measures;
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
  readonly images: readonly ReportImage[];
  readonly failures: readonly { readonly name: string; readonly error: ErrorData }[];
}
