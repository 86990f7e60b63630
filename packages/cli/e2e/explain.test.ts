import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explanationSchema, profileDocumentSchema } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profGen } from './prof-gen.js';

const image = 'docker:prof-gen/redis';
const notions = ['objects', 'code', 'address-taken', 'imports'] as const;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-explain-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const explain = (...args: string[]) =>
  profGen(['explain', '--quiet', '--cache', join(directory, 'cache'), ...args]);

async function explained(...args: string[]) {
  const { code, stdout, stderr } = await explain('--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return explanationSchema.parse(JSON.parse(stdout));
}

describe('prof-gen explain', () => {
  it('leads from the entry point to the instruction, step by step', async () => {
    const { calls, programs } = await explained(image, 'mkdir', '--program', 'redis-check-rdb');
    expect(programs).toEqual(['/usr/bin/redis-check-rdb']);
    const [chain] = calls[0]?.programs[0]?.chains ?? [];
    const names = chain?.steps.map((step) => step.function);
    expect(names?.slice(0, 2)).toEqual(['_start', 'main']);
    expect(chain?.steps.at(0)?.via).toBe('entry');
    expect(chain?.steps.at(-1)).toMatchObject({
      function: 'mkdir',
      object: '/usr/lib/x86_64-linux-gnu/libc.so.6',
      via: 'import',
      reference: 'call',
      symbol: 'mkdir@GLIBC_2.2.5',
    });
    expect(chain?.site).toMatchObject({ object: '/usr/lib/x86_64-linux-gnu/libc.so.6', function: 'mkdir' });

    const { stdout } = await explain(image, 'mkdir', '--program', 'redis-check-rdb');
    expect(stdout).toMatch(/^mkdir \(83\): 1 of 1 programs\n\n {2}\/usr\/bin\/redis-check-rdb\n/);
    expect(stdout).toMatch(/ {4}starts at +_start +redis-check-rdb\+0x/);
    expect(stdout).toMatch(/ {4}calls +mkdir +libc\.so\.6\+0x[0-9a-f]+ +bound to mkdir@GLIBC_2\.2\.5\n/);
  });

  it('names every call that a profile has, and no other', async () => {
    const { stdout } = await profGen([
      'profile',
      '--static',
      '-q',
      '--cache',
      join(directory, 'cache'),
      '-o',
      'json',
      image,
    ]);
    const document = profileDocumentSchema.parse(JSON.parse(stdout));
    const { calls } = await explained(image, '--all');
    const found = new Set(document.programs.flatMap(({ syscalls }) => syscalls));
    expect(calls.map(({ name }) => name).sort()).toEqual([...found].sort());
    for (const { name, programs } of calls) {
      for (const { program } of programs) {
        const own = document.programs.find(({ path }) => path === program);
        expect(own?.syscalls, `${name} of ${program}`).toContain(name);
      }
    }
    const other = join(directory, 'other-cache');
    const cold = await profGen(['explain', '--quiet', '--cache', other, '--json', image, '--all']);
    expect((await explain('--json', image, '--all')).stdout).toBe(cold.stdout);

    const file = join(directory, 'redis.json');
    await writeFile(file, stdout);
    const reasons = await explain(file, 'mkdir');
    expect(reasons.stdout).toContain('mkdir: allowed');
    expect(reasons.stdout).toContain('static: /usr/bin/redis-check-rdb: ');
  });

  it('finds more with each wider notion of reachability', async () => {
    const sets: Set<string>[] = [];
    for (const reachability of notions) {
      const answer = await explained(image, '--all', '--reachability', reachability);
      expect(answer.tool.reachability).toBe(reachability);
      sets.push(new Set(answer.calls.map(({ name }) => name)));
    }
    const [objects, code, addressTaken, imports] = sets;
    expect([...(objects ?? [])].filter((name) => !code?.has(name))).toEqual([]);
    expect([...(code ?? [])].filter((name) => !addressTaken?.has(name))).toEqual([]);
    expect(imports?.size).toBeGreaterThan(objects?.size ?? 0);
    expect(addressTaken?.size).toBeGreaterThan(objects?.size ?? 0);
  });

  it('says so when no program can make a call, and whose call it is then', async () => {
    const { code, stdout } = await explain(image, 'ptrace,capset', '--program', 'redis-check-rdb');
    expect(code).toBe(0);
    expect(stdout).toContain('ptrace (101): no program can reach it\n');
    expect(stdout).toContain(
      'capset (126): no program can reach it; the container runtime makes it before the program starts\n',
    );
  });

  it.each([
    [['opnat'], 'did you mean openat?'],
    [[], 'or --all'],
    [['read', '--program', 'nothing'], 'leave --program out'],
    [['read', '--reachability', 'magic'], 'one of: objects'],
  ])('refuses %j with a hint', async (args, hint) => {
    const { code, stderr } = await explain(image, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });
});
