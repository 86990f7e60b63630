import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type DockerProfile,
  dockerProfileSchema,
  type Proof,
  type Workload,
  workloadSchema,
  x86_64Syscalls,
} from '@prof-gen/core';
import { defaultCapabilities, expectedDenialsOf } from '@prof-gen/profile';
import { openTracer, type Tracer } from '@prof-gen/tracer';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Proofs at once: most of their time is spent waiting. */
const atOnce = 6;
/** A call counts as needed when it is made in each of so many proofs. */
const baseRuns = 3;
/** Servers of different kinds: processes that share a port, threads with a queue. */
const images = [
  { name: 'nginx', ready: { http: { port: 80, path: '/', status: 200 } } },
  { name: 'memcached', ready: { port: 11_211 } },
];

/** Start, readiness, a shell and the stop signal: what needs no other container. */
const workloadOf = (name: string, ready: object, timeout: number): Workload =>
  workloadSchema.parse({
    schemaVersion: 1,
    name,
    description: 'starts, is ready, ends',
    ready: { ...ready, timeout },
    steps: [],
  });

let cache: string;
let tracer: Tracer;
beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'prof-gen-removed-'));
  tracer = await openTracer({});
});
afterAll(async () => {
  await tracer?.close();
  rmSync(cache, { recursive: true, force: true });
});

/** As the command line makes it. By static analysis alone: what is missing would be denied in the proofs of the whole profile. */
async function profileOf(name: string): Promise<DockerProfile> {
  const cli = join(import.meta.dirname, '../../cli/bin/prof-gen.js');
  const argv = [cli, 'profile', '--quiet', '--static', '--cache', cache, `docker:prof-gen/${name}`];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return dockerProfileSchema.parse(JSON.parse(stdout));
}

/** The profile without one call: it gets the default answer then. */
const without = (profile: DockerProfile, name: string): DockerProfile => ({
  ...profile,
  syscalls: profile.syscalls
    .map((rule) => ({ ...rule, names: rule.names.filter((other) => other !== name) }))
    .filter(({ names }) => names.length > 0),
});

const prove = (name: string, profile: DockerProfile, workload: Workload): Promise<Proof> =>
  tracer.prove({
    name,
    image: `prof-gen/${name}`,
    overrides: {},
    profile: JSON.stringify(profile),
    workload,
    ...expectedDenialsOf(profile, { capabilities: defaultCapabilities, kernel: tracer.engine.kernel }),
  });

const madeIn = ({ programs }: Proof): Set<string> =>
  new Set(
    programs.flatMap(({ syscalls }) => syscalls.map(({ number }) => x86_64Syscalls.nameOf(number) ?? '?')),
  );

/**
 * Why a proof counts as having caught the call: the filter was seen to deny it, or the runtime, which needs it itself,
 * executed nothing. A failed step alone is no reason: it may have failed for another one.
 */
function caughtBy({ status, denials, programs }: Proof, call: string): 'denial' | 'start' | undefined {
  if (status !== 'failed') return undefined;
  if (denials.some(({ name, expected }) => name === call && !expected)) return 'denial';
  return programs.length === 0 ? 'start' : undefined;
}

it.each(images)(
  '$name: each needed call that is taken out of its profile is caught',
  async ({ name, ready }) => {
    const profile = await profileOf(name);
    const bases = await Promise.all(
      Array.from({ length: baseRuns }, () => prove(name, profile, workloadOf(name, ready, 60))),
    );
    expect(bases.map(({ status, denials, phases }) => ({ status, denials, phases }))).toMatchObject(
      bases.map(() => ({ status: 'passed' })),
    );
    const needed = [...madeIn(bases[0] as Proof)].filter((call) =>
      bases.every((base) => madeIn(base).has(call)),
    );
    expect(needed.length).toBeGreaterThan(40);

    const missed: string[] = [];
    const reasons = { denial: 0, start: 0 };
    const queue = [...needed];
    const worker = async (): Promise<void> => {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
        const proof = await prove(name, without(profile, call), workloadOf(name, ready, 15));
        const reason = caughtBy(proof, call);
        if (reason === undefined)
          missed.push(`${call}: ${JSON.stringify([proof.status, proof.denials, proof.phases])}`);
        else reasons[reason] += 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    expect(missed).toEqual([]);
    // Most are denied to the programs: were it only the runtime that failed, nothing would have been tried.
    expect(reasons.denial).toBeGreaterThan(needed.length / 2);
  },
  1_800_000,
);
