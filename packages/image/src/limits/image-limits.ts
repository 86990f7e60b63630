import { ProfGenError } from '@prof-gen/core';

/** What an image may cost. Everything counted is counted while reading, before memory is taken. */
export interface ImageLimits {
  /** Uncompressed bytes of all layers together, holes of sparse files counted. */
  readonly bytes: number;
  /** Names in all layers together. */
  readonly entries: number;
  readonly layers: number;
  /** Components of a path. */
  readonly depth: number;
  /** Bytes of a path, and of a link's target. Linux: PATH_MAX. */
  readonly pathBytes: number;
  /** Bytes of one component. Linux: NAME_MAX. */
  readonly nameBytes: number;
  /** Bytes of a manifest or index. */
  readonly manifestBytes: number;
  /** Bytes of an image's config. */
  readonly configBytes: number;
  /** Largest ELF file whose content is kept. */
  readonly keptElfBytes: number;
  /** Largest `#!` script whose content is kept. */
  readonly keptScriptBytes: number;
  /** Largest other file whose content is kept. */
  readonly keptTextBytes: number;
  /** Content kept of one layer, together: what a small bomb could otherwise fill the disk with. */
  readonly keptBytes: number;
  /** Window of a zstd frame: what its decoder has to hold in memory. */
  readonly zstdWindowBytes: number;
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export const defaultImageLimits: ImageLimits = {
  bytes: 64 * GiB,
  entries: 1_000_000,
  layers: 512,
  depth: 256,
  pathBytes: 4096,
  nameBytes: 255,
  manifestBytes: 4 * MiB,
  configBytes: 8 * MiB,
  keptElfBytes: GiB,
  keptScriptBytes: 16 * MiB,
  keptTextBytes: MiB,
  keptBytes: 8 * GiB,
  zstdWindowBytes: 128 * MiB,
};

/** The error for `what` being over a limit; the hint names the limit to raise. */
export function overLimit(limit: keyof ImageLimits, allowed: number, what: string): ProfGenError {
  return new ProfGenError('archive/too-large', `${what}: more than the limit of ${allowed}`, {
    hint: `if the image is trusted, raise the limit "${limit}"`,
    details: { limit, allowed },
  });
}
