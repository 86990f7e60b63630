import { ProfGenError } from '@prof-gen/core';

/** An error of the file system under the cache, in words for people. Others pass unchanged. */
export function cacheError(thrown: unknown, cache: string): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown)) return thrown;
  if (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT') {
    return new ProfGenError('environment/disk-full', `no space left for the cache in ${cache}`, {
      hint: 'free some space, or choose another directory for the cache; nothing half-written remains',
      retryable: true,
    });
  }
  if (
    thrown.code === 'EACCES' ||
    thrown.code === 'EROFS' ||
    thrown.code === 'EPERM' ||
    thrown.code === 'ENOTDIR'
  ) {
    return new ProfGenError('environment/cache-not-writable', `the cache in ${cache} cannot be written`, {
      hint: 'choose a directory of your own for the cache',
      causes: [thrown],
    });
  }
  return thrown;
}
