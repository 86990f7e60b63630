import type { ImageComparison, ProfileDocument } from '@prof-gen/core';

/** All that is kept of an image that was finished. */
export interface ImageResult {
  readonly document: ProfileDocument;
  /** The profile as Docker reads it, byte for byte. */
  readonly dockerProfile: string;
  /** Other methods' profiles of the same image, when the run has compared. */
  readonly comparison?: ImageComparison;
  /** Milliseconds by phase. */
  readonly timings: Readonly<Record<string, number>>;
}
