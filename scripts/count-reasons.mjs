#!/usr/bin/env node
// Why calls remain: the calls that static analysis allows to the programs of datasets/soundness/sizes.yaml and that no
// workload of the soundness check has made, by what the shortest way to each leads through. Needs the results of
// check:soundness.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sizeBoundsSchema, x86_64Syscalls } from '@prof-gen/core';
import { parse } from 'yaml';
import { openAnalyser } from './soundness/analyse.mjs';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';
import { printTable } from './soundness/table.mjs';

/** What a way leads through; the first that fits counts. */
const reasons = [
  ['the loader itself', ({ steps }) => steps.every(({ object }) => basename(object).startsWith('ld-'))],
  [
    'the vDSO is missing',
    ({ steps }) =>
      steps.at(-1)?.via === 'address' &&
      /libc\.so/.test(steps.at(-1).object) &&
      steps.at(-2)?.reference !== undefined,
  ],
  [
    'name services and the resolver',
    through(
      /^(_?get(addrinfo|nameinfo)|get(pw|gr|host|serv|sp)\w*|__nss\w*|__res\w*|_nss\w*|initgroups|getgrouplist)$/,
    ),
  ],
  ['system logging', through(/^(v?syslog|openlog|closelog)$/)],
  [
    'a failure: abort, assert, perror, stack overflow',
    through(/^(abort|__assert_fail|perror|__libc_fatal|__stack_chk_fail|__fortify_fail|raise)$/),
  ],
  ['a child process', through(/^(popen|system|posix_spawnp?|fork|_Fork|vfork)$/)],
  ['threads', through(/^(pthread_\w+)$/)],
  ['memory allocation', through(/^(malloc|calloc|realloc|free|memalign|posix_memalign|aligned_alloc)$/)],
  ['exit: streams and destructors', through(/^(exit|_IO_cleanup)$/)],
  ['a module that may be loaded', ({ steps }) => steps[0]?.via === 'export'],
  [
    'tables of functions in a library',
    ({ steps }, program) => steps.some(({ via, object }) => via === 'pointer' && object !== program),
  ],
  ['tables of functions in the program', ({ steps }) => steps.some(({ via }) => via === 'pointer')],
  [
    'addresses of functions taken by the program',
    ({ steps }, program) => steps.slice(2).some(({ via, object }) => via === 'address' && object === program),
  ],
  [
    'Go: a function or method that the program has',
    ({ steps }) => steps[0]?.because?.startsWith('Go') === true || /caddy$/.test(steps[0]?.object ?? ''),
  ],
  ['direct calls alone', () => true],
];

function through(names) {
  return ({ steps }) => steps.some((step) => names.test(step.function));
}

const seen = new Map(
  JSON.parse(await readFile(join(workspace, 'results/soundness.json'), 'utf8')).programs.map((row) => [
    row.program,
    row,
  ]),
);
const bounds = sizeBoundsSchema.parse(
  parse(await readFile(join(workspace, 'datasets/soundness/sizes.yaml'), 'utf8')),
);
const analyser = await openAnalyser(await provideRootfs());
const counted = new Map(reasons.map(([reason]) => [reason, []]));
let total = 0;
for (const { path } of bounds.programs) {
  const row = seen.get(path);
  if (row === undefined) continue;
  const numbers = new Set(row.notTraced.map((name) => x86_64Syscalls.numberOf(name)));
  for (const [number, [chain]] of await analyser.explain(path, numbers)) {
    const [reason] = reasons.find(([, fits]) => fits(chain, path));
    counted.get(reason).push({
      program: path,
      call: x86_64Syscalls.nameOf(number),
      steps: chain.steps.map((step) => `${step.via} ${basename(step.object)} ${step.function}`),
    });
    total += 1;
  }
}
await analyser.close();
const rows = [...counted].filter(([, calls]) => calls.length > 0).sort((a, b) => b[1].length - a[1].length);
printTable(
  ['the shortest way leads through', 'calls', 'of programs', 'such as'],
  rows.map(([reason, calls]) => [
    reason,
    calls.length,
    new Set(calls.map(({ program }) => program)).size,
    [...new Set(calls.map(({ call }) => call))].slice(0, 6).join(' '),
  ]),
);
process.stdout.write(`\n${total} calls\n`);
await writeFile(
  join(workspace, 'results/reasons.json'),
  `${JSON.stringify({ schemaVersion: 1, reasons: Object.fromEntries(rows) }, null, 2)}\n`,
);
