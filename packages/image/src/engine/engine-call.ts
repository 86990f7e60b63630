import { ProfGenError, printable } from '@prof-gen/core';

/** What a failed call of the engine's client means. `name` is of the image that it was about. */
export function engineError(thrown: unknown, name: string): ProfGenError {
  if (thrown instanceof ProfGenError) return thrown;
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (status === 404) {
    return new ProfGenError('image/not-found', `the container engine has no image ${printable(name)}`, {
      hint: 'see `docker images`, or pull it first',
    });
  }
  if (status === 400) {
    return new ProfGenError(
      'usage/reference',
      `the container engine does not take ${printable(name)} for a name`,
      {
        hint: 'write name, name:tag or an image id',
      },
    );
  }
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EACCES' || code === 'ENOTFOUND') {
    return new ProfGenError('environment/no-engine', 'no container engine answers', {
      hint:
        code === 'EACCES'
          ? 'its socket is there but not for you: run as root or join the group docker'
          : 'start Docker, or set DOCKER_HOST to where it listens',
      causes: [thrown],
    });
  }
  return new ProfGenError('environment/engine-failed', 'the container engine failed', {
    hint: 'see its log, and try again',
    retryable: true,
    causes: [thrown],
  });
}

/** The client's calls take no signal: what comes too late is left alone. */
export async function inTime<T>(
  answer: Promise<T>,
  time: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(engineSilent(time)), time);
  const stop = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
  try {
    return await Promise.race([
      answer,
      new Promise<never>((_, reject) => {
        const fail = (): void => reject(stop.reason as Error);
        if (stop.aborted) fail();
        else stop.addEventListener('abort', fail, { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

export function engineSilent(time: number): ProfGenError {
  return new ProfGenError(
    'environment/engine-silent',
    `the container engine said nothing for ${time / 1000} s`,
    {
      hint: 'restart it if `docker ps` hangs too',
      retryable: true,
    },
  );
}
