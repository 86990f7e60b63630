#!/usr/bin/env node
// How many distinct calls static analysis allows to well-known programs, against the bounds of
// datasets/soundness/sizes.yaml; fails when one is exceeded.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeBoundsSchema, syscallName, x86_64Syscalls } from '@prof-gen/core';
import { parse } from 'yaml';
import { openAnalyser } from './soundness/analyse.mjs';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';
import { printTable } from './soundness/table.mjs';

const rootfs = await provideRootfs();
const bounds = sizeBoundsSchema.parse(
  parse(await readFile(join(workspace, 'datasets/soundness/sizes.yaml'), 'utf8')),
);
const analyser = await openAnalyser(rootfs);
const rows = [];
for (const { path, atMost, note } of bounds.programs) {
  const { program } = await analyser.analyse(path);
  const late = program.objects.filter(({ role }) => role.startsWith('late')).length;
  rows.push({
    program: path,
    ...(note === undefined ? {} : { note }),
    objects: program.objects.length,
    late,
    calls: program.syscalls.length,
    atMost,
    undecidedSites: program.unresolved.length,
    names: program.syscalls.map(({ number }) => syscallName(x86_64Syscalls, number)),
  });
}
await analyser.close();
printTable(
  ['program', 'objects', 'of these late', 'undecided sites', 'bound', 'calls', ''],
  rows.map((row) => [
    row.note === undefined ? row.program : `${row.program} (${row.note})`,
    row.objects,
    row.late,
    row.undecidedSites,
    row.atMost,
    row.calls,
    row.calls > row.atMost ? 'TOO MANY' : '',
  ]),
);
await mkdir(join(workspace, 'results'), { recursive: true });
await writeFile(
  join(workspace, 'results/sizes.json'),
  `${JSON.stringify({ schemaVersion: 1, programs: rows }, null, 2)}\n`,
);
process.exitCode = rows.some((row) => row.calls > row.atMost) ? 1 : 0;
