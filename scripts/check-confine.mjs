#!/usr/bin/env node
// How many calls our form of Confine's method allows to programs of Debian 12, beside what the original allows
// (datasets/confine-published/original-on-debian.yaml); fails when they differ by more than is said there.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linkedFiles } from '@prof-gen/analyzer';
import { confineMethod } from '@prof-gen/comparator';
import { confineOriginalSchema, confinePublishedSchema } from '@prof-gen/core';
import { confineFile } from '@prof-gen/runner';
import { parse } from 'yaml';
import { openAnalyser } from './soundness/analyse.mjs';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';
import { printTable } from './soundness/table.mjs';

const datasets = join(workspace, 'datasets/confine-published');
const original = confineOriginalSchema.parse(
  parse(await readFile(join(datasets, 'original-on-debian.yaml'), 'utf8')),
);
const { decided, universe } = confinePublishedSchema.parse(
  JSON.parse(await readFile(join(datasets, 'published.json'), 'utf8')),
);
const analyser = await openAnalyser(await provideRootfs());
const rows = [];
for (const { path, allowed, within, note } of original.programs) {
  const objects = (await linkedFiles(analyser.tree, path)).filter(({ role }) => role !== 'interpreter');
  const files = [];
  for (const { entry } of objects) files.push(await analyser.confineFile(entry));
  const count = (steps) => universe - confineMethod({ files, decided, steps }).denied.length;
  const profile = confineMethod({ files, decided });
  const ours = count({});
  rows.push({
    program: path,
    ...(note === undefined ? {} : { note }),
    files: files.length,
    unreadable: profile.unreadable,
    original: allowed,
    ours,
    within: within ?? original.tolerance,
    withoutAddresses: count({ addressTaken: false }),
    withoutDirect: count({ directCalls: false }),
    withWeak: count({ weakImports: true }),
    direct: profile.direct,
    imported: profile.imported,
    undecided: profile.undecided,
  });
}
await analyser.close();
const percent = ({ ours, original: theirs }) => ((ours - theirs) / theirs) * 100;
const isBad = (row) =>
  row.files === 0 || row.unreadable.length > 0 || Math.abs(percent(row)) > row.within * 100 + 1e-9;
printTable(
  [
    'program',
    'files',
    'original',
    'ours',
    'differs by',
    'no addresses',
    'no direct calls',
    'weak imports',
    '',
  ],
  rows.map((row) => [
    row.note === undefined ? row.program : `${row.program} (${row.note})`,
    row.files,
    row.original,
    row.ours,
    `${percent(row).toFixed(1)}%`,
    row.withoutAddresses,
    row.withoutDirect,
    row.withWeak,
    isBad(row) ? 'DIFFERS' : '',
  ]),
);
await mkdir(join(workspace, 'results'), { recursive: true });
await writeFile(
  join(workspace, 'results/confine.json'),
  `${JSON.stringify({ schemaVersion: 1, programs: rows }, null, 2)}\n`,
);
process.exitCode = rows.some(isBad) ? 1 : 0;
