#!/usr/bin/env node
// Damaged ELF files must cost an error with a code or a result, never a crash, a hang or the machine's memory.
import { fork } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildElf, CODE, DATA, mutateElf } from '@prof-gen/testkit';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    first: { type: 'string', default: '0' },
    file: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'usage: npm run check:fuzz -- [--count N] [--first SEED] [--file ELF]… [--keep DIR]\n\n' +
      '  --count N     mutated files (default: 10000)\n' +
      '  --first SEED  number of the first; `--first 4711 --count 1` does one again\n' +
      '  --file ELF    mutate this file; programs and libraries of the soundness root file system unless given\n' +
      '  --keep DIR    write the mutated files that fail there\n\n' +
      'Exit status 1 when a file made the analyzer crash, take more than 5 s, or use more than 512 MB.\n',
  );
  process.exit(0);
}
const limits = { milliseconds: 5000, bytes: 512e6 };
const whole = (text) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`"${text}" is not a whole number`);
};
const first = whole(values.first);
const count = whole(values.count);

/** Small files of every kind: by each compiler and linker, with and without a C library, Go, assembly, plugins. */
const files = [
  'opt/soundness/return',
  'opt/soundness/return-static',
  'opt/soundness/return-musl',
  'opt/soundness/return-musl-static',
  'usr/bin/tini',
  'usr/bin/tini-static',
  'usr/bin/dumb-init',
  'usr/bin/true',
  'usr/bin/id',
  'usr/bin/dash',
  'usr/sbin/gosu',
  'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
  'usr/lib/x86_64-linux-gnu/libcap.so.2.66',
  'usr/lib/x86_64-linux-gnu/libgcc_s.so.1',
  'usr/lib/x86_64-linux-gnu/gconv/UTF-16.so',
  'usr/lib/x86_64-linux-gnu/security/pam_env.so',
  'usr/lib/x86_64-linux-gnu/libdl.so.2',
];

const scratch = await mkdtemp(join(tmpdir(), 'prof-gen-fuzz-'));
let seeds = values.file;
if (seeds.length === 0) {
  const rootfs = await provideRootfs();
  const built = join(scratch, 'built');
  await writeFile(
    built,
    buildElf({
      entry: CODE,
      code: Buffer.from('b8270000000f05e800000000488d05f8ffffffff2500002000c3', 'hex'),
      data: new Uint8Array(64),
      soname: 'libbuilt.so',
      needed: ['libc.so.6'],
      symbols: [{ name: 'f', address: CODE, size: 8 }, { name: 'g' }],
      relocations: [
        { offset: DATA, type: 8, addend: CODE },
        { offset: DATA + 8, type: 6, symbol: 1 },
      ],
      initArray: { address: DATA, size: 8 },
    }),
  );
  seeds = [built, ...files.map((file) => join(rootfs, file))];
}

const outcomes = new Map();
const failures = [];
const slowest = { milliseconds: 0, what: '' };
let peak = 0;
let next = 0;
let done = 0;
const started = Date.now();

/** One worker's share. It is replaced when it has failed; its limits are the operating system's as well. */
async function work() {
  let child;
  const start = () =>
    fork(join(import.meta.dirname, 'fuzz-worker.mjs'), {
      execArgv: ['--max-old-space-size=400'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  while (next < count) {
    const position = next++;
    const file = seeds[position % seeds.length];
    const seed = first + position;
    child ??= start();
    const answer = await ask(child, { file, seed });
    done += 1;
    const what = `${basename(file)} with seed ${seed}`;
    const failed = failureOf(answer);
    if (failed !== undefined) {
      failures.push({ file: basename(file), seed, failed });
      if (values.keep !== undefined) {
        await mkdir(values.keep, { recursive: true });
        await writeFile(
          join(values.keep, `${basename(file)}-${seed}`),
          mutateElf(new Uint8Array(await readFile(file)), seed),
        );
      }
      child.kill('SIGKILL');
      child = undefined;
    } else {
      outcomes.set(answer.outcome, (outcomes.get(answer.outcome) ?? 0) + 1);
      if (answer.milliseconds > slowest.milliseconds)
        Object.assign(slowest, { milliseconds: answer.milliseconds, what });
      peak = Math.max(peak, answer.peakMemory);
    }
    if (process.stderr.isTTY && done % 20 === 0)
      process.stderr.write(`\r\x1b[K${done} of ${count}, ${failures.length} failed`);
  }
  child?.kill();
}

/** What a worker answers; its end, or silence for longer than a file may take, are answers too. */
function ask(child, task) {
  return new Promise((resolve) => {
    let complaint = '';
    const finish = (answer) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.stderr.removeAllListeners();
      resolve(answer);
    };
    // Twice the limit, since the machine may be busy; the worker's own clock decides.
    const timer = setTimeout(
      () => finish({ outcome: 'CRASH no answer', milliseconds: Infinity, peakMemory: 0 }),
      2 * limits.milliseconds,
    );
    child.stderr.on('data', (text) => (complaint = `${complaint}${text}`.slice(0, 2000)));
    child.on('message', finish);
    child.on('exit', (code, signal) =>
      finish({
        outcome: `CRASH the process ended with ${signal ?? code}: ${complaint}`,
        milliseconds: 0,
        peakMemory: 0,
      }),
    );
    child.send(task);
  });
}

function failureOf({ outcome, milliseconds, peakMemory }) {
  if (milliseconds > limits.milliseconds) return `took ${(milliseconds / 1000).toFixed(1)} s`;
  if (outcome.startsWith('CRASH')) return outcome.slice(6);
  if (peakMemory > limits.bytes) return `used ${Math.round(peakMemory / 1e6)} MB`;
  return undefined;
}

await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, work));
await rm(scratch, { recursive: true, force: true });
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

for (const [outcome, times] of [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))) {
  process.stdout.write(`${String(times).padStart(6)}  ${outcome}\n`);
}
for (const { file, seed, failed } of failures)
  process.stdout.write(`FAILED ${file} with seed ${seed}: ${failed}\n`);
process.stdout.write(
  `${count} mutated files of ${seeds.length}, ${failures.length} failures; slowest ${(slowest.milliseconds / 1000).toFixed(2)} s ` +
    `(${slowest.what}), peak of a worker ${Math.round(peak / 1e6)} MB, ${Math.round((Date.now() - started) / 1000)} s\n`,
);
// Files of one's own choice are tried, not measured.
if (values.file.length === 0) {
  await mkdir(join(workspace, 'results'), { recursive: true });
  await writeFile(
    join(workspace, 'results/fuzz.json'),
    `${JSON.stringify({ schemaVersion: 1, first, count, outcomes: Object.fromEntries([...outcomes].sort()), failures, slowestMilliseconds: Math.round(slowest.milliseconds), peakBytes: peak }, null, 2)}\n`,
  );
}
process.exitCode = failures.length === 0 ? 0 : 1;
