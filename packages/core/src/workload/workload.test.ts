import { expect, it } from 'vitest';
import { besideSchema } from './workload.js';

it('takes a server beside the tested one, and no program that ends', () => {
  expect(besideSchema.parse({ name: 'database', ready: { port: 5432 } })).toEqual({
    name: 'database',
    env: [],
    files: [],
    ready: { port: 5432, timeout: 30 },
  });
  expect(() => besideSchema.parse({ name: 'database', ready: { exit: 0 } })).toThrow('end by itself');
});
