#!/usr/bin/env node
// How fast static analysis is, in ratios of one run: against `objdump -d` over the same files, with and without
// cached summaries, with one thread and with two; and how large summaries are. A benchmark: nothing fails here.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { measured, median } from './bench/measured.mjs';
import { writeJson } from './bench/write-json.mjs';
import { provideRootfs, workspace } from './soundness/rootfs.mjs';
import { printTable } from './soundness/table.mjs';

/** The programs of the comparison, as Debian 12 ships them. */
const programs = {
  'redis-server': '/usr/bin/redis-server',
  nginx: '/usr/sbin/nginx',
  postgres: '/usr/lib/postgresql/15/bin/postgres',
  python3: '/usr/bin/python3',
  git: '/usr/bin/git',
  curl: '/usr/bin/curl',
};
const parts = [...Object.keys(programs), 'files'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string', default: join(workspace, 'results/bench-analyzer.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(values.rounds);
const unknown = values.only.filter((name) => !parts.includes(name));
if (values.help || unknown.length > 0 || !(Number.isInteger(rounds) && rounds > 0)) {
  process.stdout.write(
    'usage: npm run bench:analyzer -- [--only PART]… [--rounds COUNT] [--json FILE]\n\n' +
      `  --only PART     one of: ${parts.join(', ')}; all unless given\n` +
      '                  files: every ELF file of the root file system, with one thread and with two\n' +
      '  --rounds COUNT  how often each is measured, in alternating order; medians are shown (3)\n' +
      '  --json FILE     where the figures go (results/bench-analyzer.json)\n',
  );
  process.exit(values.help ? 0 : 2);
}
const isWanted = (part) => values.only.length === 0 || values.only.includes(part);

await promisify(execFile)('bash', [
  '-c',
  '. scripts/setup.sh; install_commands objdump=binutils mmdebstrap=mmdebstrap',
]);
const rootfs = await provideRootfs();
const scratch = await mkdtemp(join(tmpdir(), 'prof-gen-bench-'));
const result = { schemaVersion: 1, rounds, node: process.version };
try {
  const wanted = Object.entries(programs).filter(([name]) => isWanted(name));
  if (wanted.length > 0) result.programs = await benchPrograms(wanted);
  if (isWanted('files')) result.files = await benchFiles();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
await writeJson(values.json, result);

/** A process of scripts/bench, with what it wrote and what it took. */
async function child(script, args) {
  const output = join(scratch, 'output.json');
  const times = await measured([
    process.execPath,
    join(workspace, 'scripts/bench', script),
    ...args.slice(0, 3),
    output,
    ...args.slice(3),
  ]);
  return { ...times, ...JSON.parse(await readFile(output, 'utf8')) };
}

async function benchPrograms(wanted) {
  let databases = 0;
  const emptyDatabase = () => join(scratch, `summaries-${databases++}.db`);
  const measure = wanted.map(([name, path]) => ({ name, path, warmDatabase: emptyDatabase(), runs: [] }));
  // Fills the database of the warm runs, brings the files into the page cache, and tells what they are.
  for (const one of measure) {
    const { objects, calls } = await child('analyse-program.mjs', [rootfs, one.path, one.warmDatabase]);
    Object.assign(one, { objects, calls, files: objects.map((path) => join(rootfs, path)) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [index, one] of measure.entries()) {
      const cold = () => child('analyse-program.mjs', [rootfs, one.path, emptyDatabase(), ...one.objects]);
      const objdump = () => measured(['objdump', '-d', ...one.files]);
      const run = {};
      // Whoever comes second may find the processor warmer or slowed down.
      if ((round + index) % 2 === 0) Object.assign(run, { cold: await cold(), objdump: await objdump() });
      else Object.assign(run, { objdump: await objdump(), cold: await cold() });
      run.warm = await child('analyse-program.mjs', [rootfs, one.path, one.warmDatabase, ...one.objects]);
      one.runs.push(run);
    }
  }
  const rows = [];
  for (const { name, files, calls, runs } of measure) {
    const of = (pick) => median(runs.map(pick));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    rows.push({
      name,
      files: files.length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      calls,
      cold: { wall: of(({ cold }) => cold.wall), user: of(({ cold }) => cold.user) },
      objdump: { wall: of(({ objdump }) => objdump.wall), user: of(({ objdump }) => objdump.user) },
      ratio: {
        wall: of(({ cold, objdump }) => cold.wall / objdump.wall),
        user: of(({ cold, objdump }) => cold.user / objdump.user),
      },
      warm: { analysis: of(({ warm }) => warm.seconds), process: of(({ warm }) => warm.wall) },
    });
  }
  const sum = (pick) => rows.reduce((total, row) => total + pick(row), 0);
  const total = {
    cold: { wall: sum((row) => row.cold.wall), user: sum((row) => row.cold.user) },
    objdump: { wall: sum((row) => row.objdump.wall), user: sum((row) => row.objdump.user) },
  };
  const ratio = {
    wall: total.cold.wall / total.objdump.wall,
    user: total.cold.user / total.objdump.user,
  };
  process.stdout.write(
    'The whole closure of a program, one thread: a process with an empty cache, and objdump -d over the same files\n' +
      '(seconds, medians); warm with all summaries cached: the analysis, and its process.\n',
  );
  const line = ({ cold, objdump, ratio: { wall, user } }) => [
    cold.wall.toFixed(2),
    objdump.wall.toFixed(2),
    wall.toFixed(2),
    cold.user.toFixed(2),
    objdump.user.toFixed(2),
    user.toFixed(2),
  ];
  printTable(
    [
      'program',
      'files',
      'MB',
      'cold',
      'objdump',
      'ratio',
      'cold, user',
      'objdump',
      'ratio',
      'warm',
      'process',
    ],
    [
      ...rows.map((row) => [
        row.name,
        row.files,
        (row.bytes / 1e6).toFixed(1),
        ...line(row),
        row.warm.analysis.toFixed(2),
        row.warm.process.toFixed(2),
      ]),
      ['all', '', (sum((row) => row.bytes) / 1e6).toFixed(1), ...line({ ...total, ratio }), '', ''],
    ],
  );
  return { rows, total: { ...total, ratio } };
}

async function benchFiles() {
  const runs = [];
  let last;
  for (let round = 0; round < rounds; round++) {
    const run = {};
    for (const threads of round % 2 === 0 ? [1, 2] : [2, 1]) {
      const database = join(scratch, `files-${round}-${threads}.db`);
      last = await child('summarise-files.mjs', [rootfs, String(threads), database]);
      await rm(database, { force: true });
      run[threads] = {
        seconds: last.seconds,
        user: last.user,
        system: last.system,
        peakResident: last.peakResident,
      };
    }
    runs.push(run);
  }
  const of = (pick) => median(runs.map(pick));
  const { made, failed } = last;
  const largest = (part) => made.reduce((most, file) => (file[part] > most[part] ? file : most));
  const sizes = Object.fromEntries(
    ['summary', 'detail'].map((part) => [
      part,
      {
        median: median(made.map((file) => file[part])),
        largest: largest(part)[part],
        largestOf: largest(part).path,
        all: made.reduce((sum, file) => sum + file[part], 0),
      },
    ]),
  );
  const threads = (count) => ({
    seconds: of((run) => run[count].seconds),
    user: of((run) => run[count].user),
    peakResident: Math.max(...runs.map((run) => run[count].peakResident)),
  });
  const figures = {
    files: made.length,
    bytes: made.reduce((sum, { size }) => sum + size, 0),
    failed,
    one: threads(1),
    two: threads(2),
    speedUp: of((run) => run[1].seconds / run[2].seconds),
    sizes,
  };
  const { one, two } = figures;
  const MB = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  process.stdout.write(
    `\nAll ${figures.files} distinct ELF files of the root file system, ${MB(figures.bytes)}, largest first:\n` +
      `  one thread   ${one.seconds.toFixed(1)} s, ${one.user.toFixed(1)} s user, at most ${MB(one.peakResident)} resident\n` +
      `  two threads  ${two.seconds.toFixed(1)} s, ${two.user.toFixed(1)} s user, at most ${MB(two.peakResident)} resident\n` +
      `  speed-up     ${figures.speedUp.toFixed(2)}\n` +
      `  failed       ${failed.length === 0 ? 'none' : failed.join('; ')}\n`,
  );
  const kB = (bytes) => (bytes / 1000).toFixed(1);
  process.stdout.write('\nSizes in the cache, kB:\n');
  printTable(
    ['part', 'median', 'largest', 'all', 'largest of'],
    Object.entries(sizes).map(([part, { median: middle, largest: most, all, largestOf }]) => [
      part,
      kB(middle),
      kB(most),
      kB(all),
      largestOf,
    ]),
  );
  return figures;
}
