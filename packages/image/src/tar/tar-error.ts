import { ProfGenError } from '@prof-gen/core';

const damaged = 'the archive is damaged or not what its name says: pull or save the image again';

/** A header that breaks the format. `offset` is in bytes of the uncompressed archive. */
export function badHeader(why: string, offset: number): ProfGenError {
  return new ProfGenError('archive/bad-header', `not a valid tar archive at byte ${offset}: ${why}`, {
    hint: damaged,
    details: { offset },
  });
}

export function truncated(offset: number): ProfGenError {
  return new ProfGenError('archive/truncated', `the tar archive ends early, at byte ${offset}`, {
    hint: damaged,
    details: { offset },
  });
}
