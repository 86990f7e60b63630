#!/usr/bin/env node
// What the static part costs over a whole dataset: once with an empty cache and once with a full one, and where the
// time goes. It fails only when an image could not be analysed, or when the two runs differ in what they found.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSummaryStore } from '@prof-gen/store';
import Database from 'better-sqlite3';
import { measured } from './bench/measured.mjs';
import { writeJson } from './bench/write-json.mjs';
import { printTable } from './soundness/table.mjs';

const workspace = join(import.meta.dirname, '..');
/** Seconds of wall time that 120 images should take at most, on two processors. */
const aims = { cold: 15 * 60, warm: 60 };

const { values } = parseArgs({
  options: {
    dataset: { type: 'string', default: join(workspace, 'datasets/corpus.yaml') },
    only: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', short: 'j', default: '2' },
    json: { type: 'string', default: join(workspace, 'results/bench-corpus.json') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'usage: npm run bench:corpus -- [--dataset FILE] [--only NAME]… [--jobs COUNT] [--json FILE]\n\n' +
      '  --dataset FILE  whose images are in the engine already (datasets/corpus.yaml)\n' +
      '  --only NAME     some of its images\n' +
      '  --jobs COUNT    images under way at once (2)\n' +
      '  --json FILE     where the figures go (results/bench-corpus.json)\n\n' +
      '`./scripts/evaluate corpus` builds the images and loads them into the engine.\n',
  );
  process.exit(0);
}

const scratch = await mkdtemp(join(tmpdir(), 'prof-gen-bench-'));
try {
  const cold = await analysed('cold');
  const warm = await analysed('warm');
  const store = openSummaryStore(join(scratch, 'cache/summaries.db'));
  const { summaries, bytes } = store.size();
  store.close();
  const result = {
    schemaVersion: 1,
    node: process.version,
    processors: cpus().length,
    images: cold.images,
    files: cold.files,
    uniqueFiles: cold.uniqueFiles,
    summaries,
    summaryBytes: bytes,
    cold: cold.figures,
    warm: warm.figures,
  };
  report(result);
  const failures = [...cold.failures, ...warm.failures];
  if (cold.profiles !== warm.profiles) failures.push('the cold and the warm run differ in their profiles');
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`);
  await writeJson(values.json, { ...result, failures });
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** One run over the dataset, static analysis alone. The cache is kept for the next one. */
async function analysed(way) {
  process.stderr.write(`${way} run…\n`);
  const results = join(scratch, way);
  const load = loadavg()[0];
  const failures = [];
  const time = await measured([
    ...[process.execPath, join(workspace, 'packages/cli/bin/prof-gen.js'), 'run', values.dataset],
    ...(values.only.length === 0 ? [] : ['--only', ...values.only]),
    ...['--static', '--no-report', '--no-progress', '--jobs', values.jobs],
    ...['--results', results, '--cache', join(scratch, 'cache')],
  ]).catch((thrown) => {
    const said = String(thrown.stderr ?? thrown).trim();
    failures.push(`${way}: ${said.split('\n').slice(-3).join(' ')}`);
  });
  // Images that failed are in the results; without any, nothing ran at all.
  const [name] = await readdir(results).catch(() => []);
  if (name === undefined) throw new Error(failures.join('; '));
  const database = new Database(join(results, name, 'results.db'), { readonly: true });
  const count = (sql) => database.prepare(sql).pluck().get();
  const each = (sql) => database.prepare(sql).all();
  try {
    for (const image of each("SELECT name, error_code FROM overview WHERE state <> 'done' ORDER BY name")) {
      failures.push(`${way}: ${image.name} (${image.error_code ?? 'not done'})`);
    }
    return {
      failures,
      images: count("SELECT count(*) FROM images WHERE state = 'done'"),
      files: count(
        `SELECT count(*) FROM (SELECT image_id, sha256 FROM programs UNION SELECT image_id, sha256 FROM objects)`,
      ),
      uniqueFiles: count('SELECT count(*) FROM files'),
      profiles: JSON.stringify(
        each('SELECT name, docker FROM profiles JOIN images ON images.id = image_id ORDER BY name'),
      ),
      figures: {
        load,
        ...time,
        phases: each(
          'SELECT phase, sum(milliseconds) / 1000 AS seconds FROM timings GROUP BY phase ORDER BY seconds DESC, phase',
        ),
      },
    };
  } finally {
    database.close();
  }
}

function report({ images, files, uniqueFiles, summaries, summaryBytes, processors, ...ways }) {
  process.stdout.write(
    `${images} images, ${files} files in them, ${uniqueFiles} distinct: ${files - uniqueFiles} summaries reused; ` +
      `${summaries} summaries of ${(summaryBytes / 1e6).toFixed(1)} MB with their names; ${processors} processors\n`,
  );
  printTable(
    ['run', 'load before', 'seconds', 'user', 'system', 'aim'],
    ['cold', 'warm'].map((way) => {
      const { load, wall = Number.NaN, user = Number.NaN, system = Number.NaN } = ways[way];
      return [way, load.toFixed(1), wall.toFixed(0), user.toFixed(0), system.toFixed(0), aims[way]];
    }),
  );
  const phases = new Map(ways.warm.phases.map(({ phase, seconds }) => [phase, seconds]));
  printTable(
    ['phase, summed over images', 'cold', 'warm'],
    ways.cold.phases.map(({ phase, seconds }) => [
      phase,
      seconds.toFixed(1),
      (phases.get(phase) ?? 0).toFixed(1),
    ]),
  );
}
