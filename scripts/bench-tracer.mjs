#!/usr/bin/env node
// What tracing costs, in ratios of one run: processor time of a server per request untraced, observed and in a proof;
// and whether everything is seen of many short-lived processes and of many containers at once. Only the latter can
// fail: it is a matter of counting.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { dockerProfileSchema, workloadSchema, x86_64Syscalls } from '@prof-gen/core';
import { defaultCapabilities, expectedDenialsOf } from '@prof-gen/profile';
import { openTracer } from '@prof-gen/tracer';
import { median } from './bench/measured.mjs';
import { traced, untraced } from './bench/redis-server.mjs';
import { writeJson } from './bench/write-json.mjs';
import { provideImages } from './provide-images.mjs';
import { printTable } from './soundness/table.mjs';

const workspace = join(import.meta.dirname, '..');
const run = promisify(execFile);
const parts = ['redis', 'storm', 'many'];
/** The most that observing and proving should cost, in times the untraced server. */
const aims = { observed: 1.3, proven: 1.8 };

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '60000' },
    json: { type: 'string', default: join(workspace, 'results/bench-tracer.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);
const isCount = (number) => Number.isInteger(number) && number > 0;
const unknown = values.only.filter((name) => !parts.includes(name));
if (values.help || unknown.length > 0 || !isCount(rounds) || !isCount(requests)) {
  process.stdout.write(
    'usage: npm run bench:tracer -- [--only PART]… [--rounds COUNT] [--requests COUNT] [--json FILE]\n\n' +
      `  --only PART       one of: ${parts.join(', ')}; all unless given\n` +
      '                    redis: redis-benchmark against an untraced, an observed and a proven server\n' +
      '                    storm: 2,000 short-lived processes over 4 containers; every one must be counted\n' +
      '                    many: 8 containers at once, each with a number of calls of its own\n' +
      '  --rounds COUNT    how often the servers are measured, in alternating order; medians are shown (5)\n' +
      '  --requests COUNT  of each kind (SET and GET) in a round (60000)\n' +
      '  --json FILE       where the figures go (results/bench-tracer.json)\n\n' +
      'Needs root, a Docker engine and bpftrace; images are built when they are missing.\n',
  );
  process.exit(values.help ? 0 : 2);
}
const isWanted = (part) => values.only.length === 0 || values.only.includes(part);

await provideImages(['redis', 'bash', 'tools']);
const result = { schemaVersion: 1, node: process.version };
const failures = [];
if (isWanted('redis')) result.redis = await benchRedis();
if (isWanted('storm')) result.storm = await benchStorm();
if (isWanted('many')) result.many = await benchMany();
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
await writeJson(values.json, { ...result, failures });
process.exitCode = failures.length === 0 ? 0 : 1;

/** A profile for the server, made as a user would make it. */
async function redisProfile() {
  const directory = await mkdtemp(join(tmpdir(), 'prof-gen-bench-'));
  try {
    const cli = join(workspace, 'packages/cli/bin/prof-gen.js');
    const argv = [cli, 'profile', '--quiet', '--cache', directory, 'docker:prof-gen/redis'];
    const { stdout } = await run(process.execPath, argv, { maxBuffer: 64 << 20 });
    return stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Other programs on the tracepoints of this machine slow down the untraced server too. */
async function otherTracers() {
  const { stdout } = await run('ps', ['-e', '-o', 'comm=']);
  return stdout.split('\n').filter((name) => name === 'bpftrace').length;
}

async function benchRedis() {
  const profile = await redisProfile();
  const container = { capabilities: defaultCapabilities, kernel: (await run('uname', ['-r'])).stdout.trim() };
  const { isExpected } = expectedDenialsOf(dockerProfileSchema.parse(JSON.parse(profile)), container);
  const runs = [];
  let others = 0;
  for (let round = 0; round < rounds; round++) {
    others = Math.max(others, await otherTracers());
    const ofTraced = (...ways) => traced(ways, requests, { profile, isExpected });
    // Whoever comes second may find the processor warmer or slowed down.
    const figures =
      round % 2 === 0
        ? { untraced: await untraced(requests), ...(await ofTraced('observed', 'proven')) }
        : { ...(await ofTraced('proven', 'observed')), untraced: await untraced(requests) };
    runs.push({ ...figures, load: loadavg()[0] });
    const said = Object.entries(figures).map(([way, microseconds]) => `${way} ${microseconds.toFixed(2)} µs`);
    process.stderr.write(`round ${round + 1} of ${rounds}: ${said.join(', ')}\n`);
  }
  const ways = ['untraced', 'observed', 'proven'];
  const of = (pick) => median(runs.map(pick));
  const figures = Object.fromEntries(
    ways.map((way) => [
      way,
      { microseconds: of((one) => one[way]), ratio: of((one) => one[way] / one.untraced) },
    ]),
  );
  process.stdout.write(
    `redis-benchmark, ${rounds} rounds of ${2 * requests} requests: processor time of the server for each, medians;\n` +
      `load ${Math.min(...runs.map(({ load }) => load)).toFixed(1)} to ${Math.max(...runs.map(({ load }) => load)).toFixed(1)}, ` +
      `${others} other bpftrace on this machine.\n`,
  );
  printTable(
    ['server', 'µs', 'ratio', 'lowest', 'highest', 'aim'],
    ways.map((way) => {
      const ratios = runs.map((one) => one[way] / one.untraced);
      return [
        way,
        figures[way].microseconds.toFixed(2),
        figures[way].ratio.toFixed(2),
        Math.min(...ratios).toFixed(2),
        Math.max(...ratios).toFixed(2),
        aims[way]?.toFixed(1) ?? '',
      ];
    }),
  );
  return { rounds, requests, otherTracers: others, ...figures, runs };
}

/** Runs scripts of bash at once, one container each, under a profile that allows everything. */
async function atOnce(scripts) {
  const notes = [];
  const tracer = await openTracer({ onEvent: (event) => event.type === 'note' && notes.push(event.message) });
  const profile = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: [
      { names: x86_64Syscalls.names.filter((name) => name !== 'clone3'), action: 'SCMP_ACT_ALLOW' },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ],
  });
  const started = performance.now();
  try {
    const proofs = await Promise.all(
      scripts.map((script, index) =>
        tracer.prove({
          name: `container ${index + 1}`,
          image: 'prof-gen/bash',
          overrides: {},
          profile,
          workload: workloadSchema.parse({
            schemaVersion: 1,
            name: 'script',
            description: 'ends by itself',
            cmd: ['bash', '-c', script],
            ready: { exit: 0, timeout: 300 },
            steps: [],
          }),
          isExpected: ({ name, errno }) => name === 'clone3' && errno === 'ENOSYS',
        }),
      ),
    );
    for (const { status, phases } of proofs) {
      if (status !== 'passed') failures.push(`a container failed: ${JSON.stringify(phases)}`);
    }
    return { proofs, notes, seconds: (performance.now() - started) / 1000 };
  } finally {
    await tracer.close();
  }
}

function countOf({ programs }, path, call) {
  const number = x86_64Syscalls.numberOf(call);
  const calls = programs.find((program) => program.path === path)?.syscalls ?? [];
  return calls.find((one) => one.number === number)?.count ?? 0;
}

function check(what, counted, expected, notes) {
  process.stdout.write(`  counted   ${counted.join(' ')}\n  made      ${expected.join(' ')}\n`);
  if (counted.join() !== expected.join()) failures.push(`${what}: not everything was counted`);
  for (const note of notes) failures.push(`${what}: ${note}`);
}

async function benchStorm() {
  const containers = 4;
  const each = 500;
  const batch = '/bin/true & /bin/true & /bin/true & /bin/true & wait';
  const script = `for i in {1..${each / 4}}; do ${batch}; done`;
  const { proofs, notes, seconds } = await atOnce(Array.from({ length: containers }, () => script));
  process.stdout.write(
    `\n${containers * each} short-lived processes over ${containers} containers, ${seconds.toFixed(1)} s; processes that ended, by container:\n`,
  );
  const counted = proofs.map((proof) => countOf(proof, '/usr/bin/true', 'exit_group'));
  check('storm', counted, Array(containers).fill(each), notes);
  return { containers, processes: each, counted, notes, seconds };
}

async function benchMany() {
  const numbers = Array.from({ length: 8 }, (_, index) => 1000 * (index + 1));
  const scripts = numbers.map((count) => `for ((i = 0; i < ${count}; i++)); do umask 022; done`);
  const { proofs, notes, seconds } = await atOnce(scripts);
  process.stdout.write(
    `\n${numbers.length} containers at once, ${seconds.toFixed(1)} s; calls of umask, by container:\n`,
  );
  const counted = proofs.map((proof) => countOf(proof, '/usr/bin/bash', 'umask'));
  check('many', counted, numbers, notes);
  return { calls: numbers, counted, notes, seconds };
}
