import { describe, expect, it } from 'vitest';
import { Worklist } from './worklist.js';

describe('Worklist', () => {
  it('gives what waits in order, whatever order it came in, and each once', () => {
    const list = new Worklist(8);
    for (const rank of [5, 2, 7, 2]) list.add(rank);
    expect([list.take(), list.take()]).toEqual([2, 5]);
    list.add(0);
    list.add(6);
    expect([list.take(), list.take(), list.take(), list.take()]).toEqual([0, 6, 7, -1]);
    list.add(3);
    expect([list.take(), list.take()]).toEqual([3, -1]);
  });
});
