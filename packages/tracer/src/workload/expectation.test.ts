import { expect, it } from 'vitest';
import { workloadSchema } from '@prof-gen/core';
import { problemOf } from './expectation.js';

it('holds every condition', () => {
  const result = { exit: 0, output: 'one\ntwo\n' };
  expect(problemOf(result, { exit: 0, output: ['^two$'], not: ['three'] })).toBeUndefined();
  expect(problemOf(result, { exit: 'nonzero', output: [], not: [] })).toContain(
    'exit status 0, expected nonzero',
  );
  expect(problemOf(result, { exit: 'any', output: ['four'], not: ['one'] })).toMatch(
    /not match four; .*matches one/,
  );
  expect(problemOf({ exit: undefined, output: '' }, { exit: 'any', output: [], not: [] })).toContain(
    'in time',
  );
});

it('takes a short workload and fills in the rest', () => {
  const workload = workloadSchema.parse({
    schemaVersion: 1,
    name: 'short',
    description: 'ends by itself',
    ready: { exit: 0 },
    steps: [],
  });
  expect(workload.stop).toEqual({ exit: 0, timeout: 20 });
  expect(workload.ready).toEqual({ exit: 0, output: [], timeout: 60 });
  expect(() => workloadSchema.parse({ ...workload, stepss: [] })).toThrow();
});
