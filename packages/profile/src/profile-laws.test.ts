import {
  type Evidence,
  type Observation,
  type Profile,
  profileSchema,
  type ProgramAnalysis,
  x86_64Syscalls,
} from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { rulesHold } from './arguments/argument-rules.js';
import {
  type BuildProfileInput,
  buildProfile,
  defaultCapabilities,
  diffProfiles,
  formatDockerProfile,
  intersectProfiles,
  mergeProfiles,
  parseDockerProfile,
  renderDockerProfile,
  runtimeBases,
} from './index.js';

/** From a linear congruential generator: the same in every run. */
function randomSource(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
  return { below, pick, some };
}
type Random = ReturnType<typeof randomSource>;

const numbers = x86_64Syscalls.names.map((name) => x86_64Syscalls.numberOf(name) as number);

function randomProgram({ pick, some, below }: Random): ProgramAnalysis {
  const path = `/bin/${pick(['a', 'b', 'c', 'd', 'e'])}`;
  return {
    path,
    sha256: '00',
    calledAs: [],
    origin: { kind: 'run-command', chain: [path] },
    objects: [],
    syscalls: some(60, () => ({
      number: pick(numbers),
      evidence: some(5, () => ({
        kind: 'static' as const,
        program: path,
        object: pick(['/lib/libc.so.6', '/lib/libm.so.6']),
        function: pick(['f', 'g']),
        site: `0x${below(8)}`,
      })),
    })),
    unresolved: [],
  };
}

function randomObservation({ pick, some, below }: Random): Observation {
  const seen = () => ({ number: pick(numbers), process: pick(['p', 'q']), phase: pick(['start', 'stop']) });
  return {
    method: 'bpftrace',
    engine: {
      engine: '',
      engineVersion: '',
      runtime: 'runc',
      runtimeVersion: '',
      kernel: '',
      cgroupVersion: '',
    },
    programs: some(3, () => ({
      path: `/bin/${pick(['a', 'b', 'f'])}`,
      argvs: [],
      objects: [],
      syscalls: some(40, () => ({ ...seen(), count: below(9) })),
      phase: 'start',
    })),
    ioUring: false,
    denials: some(3, () => ({
      ...seen(),
      name: '',
      program: '/bin/a',
      errno: 'EPERM',
      count: 1,
      expected: true,
    })),
    phases: [],
  };
}

function randomInput(random: Random): BuildProfileInput {
  const { below, pick, some } = random;
  return {
    programs: some(4, () => randomProgram(random)),
    observation: below(2) === 0 ? undefined : randomObservation(random),
    runtimeBase: pick(runtimeBases),
    dockerDefault:
      below(3) === 0 ? undefined : { capabilities: [...defaultCapabilities, ...some(1, () => 'SYS_ADMIN')] },
    extra: some(2, () => ({ name: pick(x86_64Syscalls.names), reason: pick(['x', 'y']) })),
    libseccomp: pick([undefined, '2.5.1', '2.6.0']),
  };
}

/** A profile with rules of all kinds, as users and later versions write them. */
function randomProfile(random: Random): Profile {
  const profile = buildProfile(randomInput(random));
  const { below, pick, some } = random;
  const condition = (index: number) => ({
    index,
    op: pick(['eq', 'lt', 'gt'] as const),
    value: String(below(50)),
  });
  return {
    ...profile,
    allowed: profile.allowed.map((one) =>
      below(4) === 0
        ? { ...one, when: [[condition(0)], ...some(2, () => [condition(0), condition(1)])] }
        : one,
    ),
  };
}

const rounds = 30;

function each(check: (random: Random) => void): void {
  for (let seed = 1; seed <= rounds; seed++) check(randomSource(seed * 7919));
}

const names = (profile: Profile) => profile.allowed.map(({ name }) => name);

/** Whether the profile lets a call with these two arguments through. */
function lets(profile: Profile, name: string, args: readonly bigint[]): boolean {
  const allowed = profile.allowed.find((one) => one.name === name);
  return allowed !== undefined && rulesHold(allowed.when, args);
}

const points = [0n, 1n, 17n, 38n, 49n, 50n].flatMap((first) =>
  [0n, 25n, 51n].map((second) => [first, second]),
);

function shuffled<T>(list: readonly T[], { below }: Random): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(below(rest.length), 1)[0] as T);
}

describe('a built profile', () => {
  it('decides every call of the table once, in order', () => {
    each((random) => {
      const profile = buildProfile(randomInput(random));
      const both = [...names(profile), ...profile.denied.map(({ name }) => name)];
      expect([...both].sort()).toEqual([...x86_64Syscalls.names].sort());
      expect(names(profile)).toEqual([...names(profile)].sort());
      expect(profileSchema.parse(profile)).toEqual(profile);
    });
  });

  it('gives a reason for every allowed call and for every denial but of calls that nothing needs', () => {
    each((random) => {
      const profile = buildProfile(randomInput(random));
      for (const { evidence } of profile.allowed) expect(evidence.length).toBeGreaterThan(0);
      for (const { evidence, reason } of profile.denied)
        expect(evidence.length === 0).toBe(reason === 'not-needed');
    });
  });

  it('allows no less with more evidence', () => {
    each((random) => {
      const input = randomInput(random);
      // Not one of the observed programs: analysis of such a one replaces the guess at its vDSO calls.
      const more = { ...input, programs: [...input.programs, { ...randomProgram(random), path: '/bin/z' }] };
      expect(names(buildProfile(more))).toEqual(expect.arrayContaining(names(buildProfile(input))));
    });
  });

  it('does not depend on the order of what it is given', () => {
    each((random) => {
      const input = randomInput(random);
      const observation = input.observation && {
        ...input.observation,
        programs: shuffled(input.observation.programs, random).map((program) => ({
          ...program,
          syscalls: shuffled(program.syscalls, random),
        })),
        denials: shuffled(input.observation.denials, random),
      };
      const programs = shuffled(input.programs, random).map((program) => ({
        ...program,
        syscalls: shuffled(program.syscalls, random).map(({ number, evidence }) => ({
          number,
          evidence: shuffled(evidence, random),
        })),
      }));
      const again = buildProfile({
        ...input,
        programs,
        observation,
        extra: shuffled(input.extra ?? [], random),
      });
      expect(JSON.stringify(again)).toBe(JSON.stringify(buildProfile(input)));
    });
  });

  it('keeps a few reasons only', () => {
    const evidence: Evidence[] = [];
    const many = Array.from(
      { length: 100 },
      (_, at): ProgramAnalysis => ({
        ...randomProgram(randomSource(1)),
        path: `/bin/${at}`,
        syscalls: [
          {
            number: 0,
            evidence: Array.from({ length: 50 }, (_unused, site) => ({
              kind: 'static' as const,
              program: `/bin/${at}`,
              object: '/o',
              function: 'f',
              site: `0x${site}`,
            })),
          },
        ],
      }),
    );
    const [base] = runtimeBases;
    const profile = buildProfile({ programs: many, runtimeBase: base ?? expect.fail('no runtime base') });
    evidence.push(...(profile.allowed.find(({ name }) => name === 'read')?.evidence ?? []));
    expect(evidence).toHaveLength(48);
    expect(
      evidence.filter((one) => one.kind === 'static' && one.program === '/bin/10').length,
    ).toBeLessThanOrEqual(3);
  });
});

describe('the Docker form', () => {
  it('reads back to the same bytes', () => {
    each((random) => {
      const text = renderDockerProfile(randomProfile(random));
      expect(formatDockerProfile(parseDockerProfile(text))).toBe(text);
      expect(text.endsWith('}\n')).toBe(true);
    });
  });
});

describe('mergeProfiles', () => {
  it('is commutative, associative and idempotent', () => {
    each((random) => {
      const [a, b, c] = [randomProfile(random), randomProfile(random), randomProfile(random)];
      expect(mergeProfiles(a, b)).toEqual(mergeProfiles(b, a));
      expect(mergeProfiles(mergeProfiles(a, b), c)).toEqual(mergeProfiles(a, mergeProfiles(b, c)));
      const built = buildProfile(randomInput(random));
      expect(mergeProfiles(built, built)).toEqual(built);
    });
  });

  it('lets through exactly what either lets through', () => {
    each((random) => {
      const [a, b] = [randomProfile(random), randomProfile(random)];
      const merged = mergeProfiles(a, b);
      for (const name of new Set([...names(a), ...names(b), 'vserver'])) {
        const wanted = points.map((args) => lets(a, name, args) || lets(b, name, args));
        expect(points.map((args) => lets(merged, name, args))).toEqual(wanted);
      }
    });
  });
});

describe('intersectProfiles', () => {
  it('lets through exactly what both let through', () => {
    each((random) => {
      const [a, b] = [randomProfile(random), randomProfile(random)];
      const common = intersectProfiles(a, b);
      for (const name of new Set([...names(a), ...names(b), ...names(common)])) {
        const wanted = points.map((args) => lets(a, name, args) && lets(b, name, args));
        expect(points.map((args) => lets(common, name, args))).toEqual(wanted);
      }
      expect(common.allowed.length + common.denied.length).toBe(x86_64Syscalls.names.length);
    });
  });

  it('is idempotent and commutative', () => {
    each((random) => {
      const [a, b] = [buildProfile(randomInput(random)), buildProfile(randomInput(random))];
      expect(intersectProfiles(a, a)).toEqual(a);
      expect(intersectProfiles(a, b)).toEqual(intersectProfiles(b, a));
    });
  });
});

describe('diffProfiles', () => {
  it('tells what is added, removed and changed', () => {
    each((random) => {
      const [a, b] = [randomProfile(random), randomProfile(random)];
      const { added, removed } = diffProfiles(a, b);
      expect(new Set([...names(a), ...added.map(({ name }) => name)])).toEqual(
        new Set(names(mergeProfiles(a, b))),
      );
      expect(names(a).filter((name) => !names(b).includes(name))).toEqual(removed.map(({ name }) => name));
      expect(diffProfiles(a, a)).toEqual({ added: [], removed: [], rulesChanged: [], answersChanged: [] });
    });
  });
});
