import { setTimeout as pause } from 'node:timers/promises';
import { ProfGenError } from '@prof-gen/core';

/** The one call of dockerode's container that is used here. */
export interface Removable {
  remove(options: { force: true; v: true }): Promise<unknown>;
}

/** `Engine`, which calls this itself. */
interface Caller {
  call<T>(what: string, work: () => Promise<T>): Promise<T>;
}

/** Milliseconds between attempts. Each attempt waits ten seconds in the engine itself before it gives up. */
const pauses = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Removes a container with its anonymous volumes. It is no failure that the container is gone, or that another call
 * removes it.
 *
 * On a busy machine the engine may not have heard within its ten seconds that a killed container has ended: it finds
 * a zombie and gives up with status 500 (moby, daemon/kill.go, `killProcessDirectly`; daemon/delete.go,
 * `cleanupContainer`). The process is reaped a moment later, so the engine is asked again.
 *
 * @returns whether it was there, and not being removed
 * @throws ProfGenError `environment/engine`, `trace/engine-timeout`, `trace/engine`
 */
export async function removeContainer(
  engine: Caller,
  container: Removable,
  waits: readonly number[] = pauses,
): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await engine.call('remove a container', () => container.remove({ force: true, v: true }));
      return true;
    } catch (thrown) {
      const failure = thrown instanceof ProfGenError ? thrown : undefined;
      const status = failure?.details?.['status'];
      if (status === 404 || status === 409) return false;
      const wait = waits[attempt];
      const unreaped = status === 500 && /could not kill/i.test(failure?.message ?? '');
      if (!unreaped || wait === undefined) throw thrown;
      await pause(wait);
    }
  }
}
