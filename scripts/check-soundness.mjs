#!/usr/bin/env node
// Is any call that a program really makes missing from what static analysis says of it? Records workloads with
// strace, analyses every program that they ran, compares, and fails for each call that was seen and not found.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { executedProgram, syscallName, x86_64Syscalls } from '@prof-gen/core';
import { openAnalyser } from './soundness/analyse.mjs';
import { readCases, recordCase } from './soundness/record.mjs';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';
import { printTable } from './soundness/table.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    fresh: { type: 'boolean', default: false },
    output: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'usage: npm run check:soundness -- [--only NAME]… [--fresh] [--output]\n\n' +
      '  --only NAME  a case, or a file of datasets/soundness/cases without .yaml; all unless given\n' +
      '  --fresh      record again what was recorded before\n' +
      '  --output     show what the workloads print\n\n' +
      'Exit status 1 when a call was seen that static analysis does not have, or a workload did not do its part.\n',
  );
  process.exit(0);
}

const started = Date.now();
const name = (number) => syscallName(x86_64Syscalls, Number(number));
const rootfs = await provideRootfs();
const cases = await readCases(values.only);
const analyser = await openAnalyser(rootfs);
/** Reasons to fail that are no misses. */
const failures = [];
/** Program → what was seen of it, over all cases. */
const programs = new Map();
/** Paths that no file of the image stands behind, with the case. */
const written = new Set();
/** Executions of the loader, with the case: what follows is the program that it was given, not its own. */
const throughLoader = new Set();

const queue = [...cases];
let recorded = 0;
await Promise.all(
  [1, 2].map(async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      await add(one, await recordCase(rootfs, one, { fresh: values.fresh }));
      recorded += 1;
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[Krecorded ${recorded} of ${cases.length}: ${one.name}`);
    }
  }),
);
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
const recordedAt = Date.now();

/** Takes a record into `programs`, and checks that the workload did its part. */
async function add({ name: caseName, programs: meant }, record) {
  if (values.output) process.stdout.write(`== ${caseName}\n${record.output}\n`);
  if (record.timedOut) {
    failures.push(`${caseName}: the workload did not end in time:\n    ${record.unfinished.join('\n    ')}`);
  }
  const distinct = new Map();
  for (const { path, times, calls, calls32, opened } of record.executions) {
    if (path.startsWith('?')) failures.push(`${caseName}: it is not known which file ${path.slice(2)} is`);
    const real = (await executedProgram(analyser.tree, path))?.path;
    if (real === undefined) {
      written.add(`${path} (${caseName})`);
      continue;
    }
    if (/\/ld-[^/]*\.so[.\d]*$/.test(real)) {
      throughLoader.add(`${real} (${caseName})`);
      continue;
    }
    const seen = programs.get(real) ?? {
      times: 0,
      cases: new Set(),
      calls: new Map(),
      calls32: new Set(),
      opened: new Set(),
    };
    programs.set(real, seen);
    const own = distinct.get(real) ?? new Set();
    distinct.set(real, own);
    seen.times += times;
    seen.cases.add(caseName);
    for (const [number, argv] of Object.entries(calls)) {
      own.add(number);
      if (!seen.calls.has(Number(number))) seen.calls.set(Number(number), { caseName, path, argv });
    }
    for (const call of Object.keys(calls32)) seen.calls32.add(call);
    for (const file of opened) seen.opened.add(file);
  }
  for (const [program, atLeast] of Object.entries(meant)) {
    const count = distinct.get(program)?.size ?? 0;
    if (count < atLeast) {
      failures.push(
        `${caseName}: ${program} made ${count} distinct calls, fewer than the ${atLeast} of a real run`,
      );
    }
  }
}

const rows = [];
const misses = [];
for (const [path, seen] of [...programs].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const { program } = await analyser.analyse(path).catch((error) => {
    failures.push(`${path}: ${error.message}`);
    return {};
  });
  if (program === undefined) continue;
  const found = new Set(program.syscalls.map(({ number }) => number));
  const missing = [...seen.calls.keys()].filter((number) => !found.has(number)).sort((a, b) => a - b);
  for (const number of missing) misses.push(await explainMiss(path, number, seen, program));
  rows.push({
    program: path,
    kind: program.objects.length === 1 ? 'static' : 'dynamic',
    cases: [...seen.cases].sort(),
    executions: seen.times,
    traced: seen.calls.size,
    static: found.size,
    undecidedSites: program.unresolved.length,
    misses: missing.map(name),
    notTraced: [...found].filter((number) => !seen.calls.has(number)).map(name),
    ...(seen.calls32.size > 0 ? { by32BitTable: [...seen.calls32].sort() } : {}),
  });
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kanalysed ${rows.length} of ${programs.size}`);
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

/** Where a miss was made, and whether linking what the program opened would have found it. */
async function explainMiss(path, number, seen, program) {
  const { caseName, argv } = seen.calls.get(number);
  const linked = new Set(program.objects.map((object) => object.path));
  const extra = [...seen.opened].filter((file) => {
    const found = analyser.tree.resolve(file);
    return found.ok && found.entry.kind === 'elf' && !linked.has(found.entry.path);
  });
  const withTrace =
    extra.length === 0 ? undefined : (await analyser.analyse(path, { objects: extra })).program;
  return {
    program: path,
    call: name(number),
    case: caseName,
    argv,
    foundWithOpenedObjects: withTrace?.syscalls.some((one) => one.number === number) ?? false,
    openedObjects: extra,
    undecidedSites: program.unresolved.length,
    stacks: await stacksOf(caseName, name(number)),
  };
}

/** The workload once more, for the stack of every such call: the innermost frames, the most frequent first. */
async function stacksOf(caseName, call) {
  const one = cases.find((candidate) => candidate.name === caseName);
  const { log } = await recordCase(rootfs, one, { options: ['-k', '-e', `trace=${call}`] }).catch(() => ({
    log: '',
  }));
  const counts = new Map();
  for (const block of log.split(/^(?=\d+ )/m)) {
    // Signals have stacks too.
    if (!new RegExp(`^\\d+ +(?:<\\.\\.\\. )?${call}\\b`).test(block)) continue;
    const frames = [...block.matchAll(/^ > (.+)$/gm)].slice(0, 8).map(([, frame]) => frame);
    if (frames.length > 0) counts.set(frames.join('\n'), (counts.get(frames.join('\n')) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6)
    .map(([frames]) => frames.split('\n'));
}
await analyser.close();

printTable(
  ['program', 'cases', 'traced', 'static', 'misses'],
  rows.map((row) => [row.program, row.cases.length, row.traced, row.static, row.misses.length]),
);
for (const miss of misses) {
  process.stdout.write(
    `\nMISS ${miss.call} of ${miss.program}, case ${miss.case}, arguments: ${miss.argv}\n`,
  );
  if (miss.foundWithOpenedObjects)
    process.stdout.write(`  found once these are linked: ${miss.openedObjects.join(' ')}\n`);
  for (const stack of miss.stacks)
    process.stdout.write(`${stack.map((frame) => `    ${frame}`).join('\n')}\n\n`);
}
for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
const seconds = (from, to) => Math.round((to - from) / 1000);
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
process.stdout.write(
  `\n${rows.length} programs in ${cases.length} cases, ${written.size} written by the workloads themselves and ${throughLoader.size} started through the loader left out; ` +
    `${sum('executions')} executions, ${sum('traced')} calls traced and ${sum('static')} allowed over all programs; ` +
    `${misses.length} misses, ${failures.length} failures; ` +
    `${seconds(started, recordedAt)} s to record, ${seconds(recordedAt, Date.now())} s to analyse\n`,
);
await mkdir(join(workspace, 'results'), { recursive: true });
await writeFile(
  join(workspace, 'results/soundness.json'),
  `${JSON.stringify({ schemaVersion: 1, programs: rows, misses, failures, leftOut: [...written, ...throughLoader].sort() }, null, 2)}\n`,
);
process.exitCode = misses.length + failures.length === 0 ? 0 : 1;
