#!/usr/bin/env node
// Whether the tracer sees what strace sees: each workload of datasets/agreement runs in a container under the tracer, and
// in one under `strace -f`; for every program that is executed the distinct calls are compared. No call is ignored but
// restart_syscall, which no program makes: the kernel puts it in place of a call that a stop has interrupted
// (restart_syscall(2)), and strace stops a program at each of its calls.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { soundnessCasesSchema, syscallName, x86_64Syscalls } from '@prof-gen/core';
import { readStraceLog } from '@prof-gen/testkit';
import { openTracer } from '@prof-gen/tracer';
import { parse } from 'yaml';
import { writeJson } from './bench/write-json.mjs';
import { provideImages } from './provide-images.mjs';
import { printTable } from './soundness/table.mjs';

const workspace = join(import.meta.dirname, '..');
const directory = join(workspace, 'datasets/agreement');
const image = 'prof-gen/agreement';
const run = promisify(execFile);
const docker = async (...argv) =>
  (await run('docker', argv, { maxBuffer: 256 << 20, encoding: 'latin1' })).stdout;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '6' },
    json: { type: 'string', default: join(workspace, 'results/agreement.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(values.rounds);
const cases = [];
for (const file of (await readdir(directory)).sort()) {
  cases.push(...soundnessCasesSchema.parse(parse(await readFile(join(directory, file), 'utf8'))).cases);
}
const unknown = values.only.filter((name) => !cases.some((one) => one.name === name));
if (values.help || unknown.length > 0 || !(Number.isInteger(rounds) && rounds > 0)) {
  process.stdout.write(
    'usage: npm run check:agreement -- [--only CASE]… [--rounds COUNT] [--json FILE]\n\n' +
      `  --only CASE     one of: ${cases.map(({ name }) => name).join(', ')}; all unless given\n` +
      '  --rounds COUNT  most repetitions of a case: what a program does may depend on timing, so that what one side has\n' +
      '                  not seen yet gets another chance on both (6)\n' +
      '  --json FILE     where the sets go (results/agreement.json)\n\n' +
      'Needs root, a Docker engine and bpftrace; the image is built when it is missing.\n',
  );
  process.exit(values.help ? 0 : 2);
}

/** Before each workload: a pause and a wait that start no program. Both run at least once, whatever the timing. */
const prelude = `
exec 9<> <(:)
pause() { read -rt 0.1 -u 9; }
wait_port() { pause; for _ in {1..200}; do (: < /dev/tcp/127.0.0.1/$1) 2>/dev/null && return; pause; done; exit 1; }
`;
/** Whether a program waits, and for how long, is the workload's matter: the tracer waits for its end alone. */
const patient = { ready: 240_000, quietWithPorts: 240_000, quietWithoutPorts: 240_000 };

/** Adds names of calls to the set of a program. */
function add(sets, path, names) {
  const set = sets.get(path) ?? new Set();
  sets.set(path, set);
  for (const name of names) if (name !== 'restart_syscall') set.add(name);
}

/** Denied calls too: strace sees a call before the filter does. */
async function underTracer(tracer, { name, run: script }, sets) {
  const overrides = { cmd: ['bash', '-c', prelude + script] };
  const observation = await tracer.observe({ name, image, overrides, exercise: patient });
  for (const { path, syscalls } of observation.programs) {
    add(
      sets,
      path,
      syscalls.map(({ number }) => syscallName(x86_64Syscalls, number)),
    );
  }
  for (const { program, name: denied } of observation.denials) add(sets, program, [denied]);
}

/**
 * The same command, image, filter, capabilities, and kind of network, which decides how names are looked up; strace is the
 * first process.
 */
async function underStrace({ run: script }, sets) {
  const strace = ['strace', '-f', '-qq', '-s', '100', '-o', '/strace.log'];
  const options = ['--network', network, '--memory', '1g', '--pids-limit', '1024'];
  const id = (await docker('create', ...options, image, ...strace, 'bash', '-c', prelude + script)).trim();
  const scratch = await mkdtemp(join(tmpdir(), 'prof-gen-agreement-'));
  try {
    await docker('start', '--attach', id).catch(() => undefined);
    await docker('cp', `${id}:/strace.log`, scratch);
    const executions = readStraceLog(await readFile(join(scratch, 'strace.log'), 'latin1'));
    const paths = [...new Set(executions.map(({ path }) => path))];
    // The kernel follows links, strace tells what was asked for.
    const real = (await docker('run', '--rm', '--network', 'none', image, 'readlink', '-f', ...paths))
      .trim()
      .split('\n');
    for (const { path, calls } of executions) {
      add(
        sets,
        real[paths.indexOf(path)],
        [...calls].map((number) => syscallName(x86_64Syscalls, number)),
      );
    }
  } finally {
    await docker('rm', '--force', '--volumes', id);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** `program: call` of what only one side has seen. */
function onlyIn(sets, others) {
  return [...sets]
    .flatMap(([path, names]) =>
      [...names].filter((name) => !others.get(path)?.has(name)).map((name) => `${path}: ${name}`),
    )
    .sort();
}

await provideImages(['agreement'], 'datasets/soundness');
const started = Date.now();
const network = `prof-gen-agreement-${process.pid}`;
await docker('network', 'create', '--internal', network);
const tracer = await openTracer({});
const rows = [];
const failures = [];
const wanted = cases.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
try {
  for (const one of wanted) {
    const traced = new Map();
    const straced = new Map();
    let round = 0;
    let tracerOnly = [];
    let straceOnly = [];
    do {
      round += 1;
      await underTracer(tracer, one, traced);
      await underStrace(one, straced);
      tracerOnly = onlyIn(traced, straced);
      straceOnly = onlyIn(straced, traced);
    } while (round < rounds && tracerOnly.length + straceOnly.length > 0);
    for (const text of tracerOnly) failures.push(`${one.name}: only the tracer saw ${text}`);
    for (const text of straceOnly) failures.push(`${one.name}: only strace saw ${text}`);
    for (const [program, atLeast] of Object.entries(one.programs)) {
      const count = traced.get(program)?.size ?? 0;
      if (count < atLeast) {
        failures.push(
          `${one.name}: ${program} made ${count} distinct calls, fewer than the ${atLeast} of a real run`,
        );
      }
    }
    for (const [program, names] of [...traced].sort(([a], [b]) => (a < b ? -1 : 1))) {
      rows.push({ case: one.name, program, rounds: round, calls: [...names].sort() });
    }
    process.stderr.write(`${one.name}: ${traced.size} programs, ${round} rounds\n`);
  }
} finally {
  await tracer.close();
  await docker('network', 'rm', network);
}
printTable(
  ['case', 'program', 'calls', 'rounds'],
  rows.map(({ case: name, program, calls, rounds: count }) => [name, program, calls.length, count]),
);
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
const programs = new Set(rows.map(({ program }) => program));
process.stdout.write(
  `\n${programs.size} programs in ${wanted.length} cases, ${rows.reduce((sum, { calls }) => sum + calls.length, 0)} calls; ` +
    `${failures.length} differences; ${Math.round((Date.now() - started) / 1000)} s\n`,
);
await writeJson(values.json, { schemaVersion: 1, programs: rows, failures });
process.exitCode = failures.length === 0 ? 0 : 1;
