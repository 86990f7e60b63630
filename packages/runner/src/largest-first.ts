/** Starts work when its turn comes. */
export type Schedule = <T>(size: number, work: () => Promise<T>) => Promise<T>;

/**
 * Runs at most `limit` pieces of work at once; of those that wait the largest goes first, whoever asked, and of
 * equal ones the earlier. So the last to run are small, and no thread is left alone with a large one.
 */
export function largestFirst(limit: number): Schedule {
  const waiting: { readonly size: number; readonly start: () => void }[] = [];
  let running = 0;
  return async (size, work) => {
    if (running < limit) running += 1;
    else {
      await new Promise<void>((start) => {
        let at = waiting.length;
        while (at > 0 && (waiting[at - 1]?.size ?? 0) < size) at -= 1;
        waiting.splice(at, 0, { size, start });
      });
    }
    try {
      return await work();
    } finally {
      // Whoever is next takes this place over.
      const next = waiting.shift();
      if (next) next.start();
      else running -= 1;
    }
  };
}
