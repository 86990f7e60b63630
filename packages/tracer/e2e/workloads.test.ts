import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Proof, type Workload, workloadSchema, x86_64Syscalls } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { openTracer, type Tracer } from '../src/index.js';

const workloads = join(import.meta.dirname, '../../../datasets/workloads');
const workloadOf = (name: string): Workload =>
  workloadSchema.parse(parse(readFileSync(join(workloads, `${name}.yaml`), 'utf8')));

let tracer: Tracer;
beforeAll(async () => {
  tracer = await openTracer({});
});
afterAll(() => tracer?.close());

/** Allows everything but these names; clone3 is answered as Docker's default does. */
const prove = (name: string, denied: readonly string[]): Promise<Proof> =>
  tracer.prove({
    name,
    image: `prof-gen/${name}`,
    overrides: {},
    profile: JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [
        {
          names: x86_64Syscalls.names.filter((call) => call !== 'clone3' && !denied.includes(call)),
          action: 'SCMP_ACT_ALLOW',
        },
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      ],
    }),
    workload: workloadOf(name),
    isExpected: ({ name, errno }) => errno === 'ENOSYS' && name === 'clone3',
  });
const failedSteps = (proof: Proof): string[] =>
  proof.phases.flatMap(({ steps }) =>
    steps.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`),
  );

describe('the workloads of the evaluation’s images', () => {
  it.each(['redis', 'nginx', 'python'])('%s passes when nothing is denied', async (name) => {
    const proof = await prove(name, []);
    expect(failedSteps(proof)).toEqual([]);
    expect(proof.denials.filter(({ expected }) => !expected)).toEqual([]);
    expect(proof.status).toBe('passed');
  });

  it('catches one call that a single step needs', async () => {
    const proof = await prove('python', ['copy_file_range']);
    expect(proof.status).toBe('failed');
    expect(proof.denials.filter(({ expected }) => !expected)).toMatchObject([
      { name: 'copy_file_range', errno: 'EPERM', process: 'python3', phase: 'start' },
    ]);
  });
});
