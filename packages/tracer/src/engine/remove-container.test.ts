import { ProfGenError } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { removeContainer } from './remove-container.js';

const engine = await Engine.open('/nowhere.sock');

/** As dockerode throws it. */
const failure = (statusCode: number, message: string) =>
  Object.assign(new Error(message), { statusCode, json: { message } });

const zombie = failure(
  500,
  'Could not kill running container 3a17, cannot remove - container 3a17 PID 28305 is zombie and can not be killed.',
);

/** A container whose first removals fail. */
function failing(...failures: readonly Error[]) {
  let calls = 0;
  return {
    calls: () => calls,
    remove: () => {
      const thrown = failures[calls];
      calls += 1;
      return thrown === undefined ? Promise.resolve() : Promise.reject(thrown);
    },
  };
}

describe('removeContainer', () => {
  it('asks again while a killed process is not reaped', async () => {
    const container = failing(zombie, zombie);
    expect(await removeContainer(engine, container, [0, 0])).toBe(true);
    expect(container.calls()).toBe(3);
  });

  it('takes a container that is gone, or that another call removes, as removed', async () => {
    for (const status of [404, 409]) {
      const container = failing(failure(status, 'no such container'));
      expect(await removeContainer(engine, container, [0])).toBe(false);
      expect(container.calls()).toBe(1);
    }
  });

  it('gives up with what the engine said', async () => {
    const stuck = failing(zombie, zombie, zombie);
    await expect(removeContainer(engine, stuck, [0])).rejects.toThrow(/is zombie/);
    expect(stuck.calls()).toBe(2);
  });

  it('does not repeat what time does not mend', async () => {
    const container = failing(failure(500, 'no space left on device'));
    const error = await removeContainer(engine, container, [0, 0]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProfGenError);
    expect(container.calls()).toBe(1);
  });
});
