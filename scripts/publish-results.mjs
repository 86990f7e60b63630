#!/usr/bin/env node
// Puts a run into results/published/: its database without other runs, compressed, a profile an image, and a page of
// tables; and makes the README's table from it. A run that is not whole is not published, and a proof that
// failed is shown.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { tablesAsMarkdown } from '@prof-gen/report';
import Database from 'better-sqlite3';

const workspace = join(import.meta.dirname, '..');
const run = promisify(execFile);
const usage =
  'usage: npm run publish:results -- [RESULTS]\n\n' +
  '  RESULTS  directory that `prof-gen run DATASET --compare` wrote (default: results/corpus)\n';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h', default: false } },
});
if (values.help || positionals.length > 1) {
  process.stdout.write(usage);
  process.exit(values.help ? 0 : 2);
}
const results = resolve(positionals[0] ?? join(workspace, 'results/corpus'));
const name = basename(results);
const target = join(workspace, 'results/published', name);
const scratch = await mkdtemp(join(tmpdir(), 'prof-gen-publish-'));
const file = join(scratch, 'results.db');

function fail(what, hint) {
  process.stderr.write(`error: ${what}\n  hint: ${hint}\n`);
  process.exitCode = 1;
}

/** The database with its last run alone. */
function lastRun() {
  const whole = new Database(join(results, 'results.db'), { readonly: true, fileMustExist: true });
  whole.exec(`VACUUM INTO '${file.replaceAll("'", "''")}'`);
  whole.close();
  const database = new Database(file);
  database.pragma('foreign_keys = ON');
  const last = database
    .prepare(
      'SELECT id, outcome, tool_version, analyzer_version, kernel, engine FROM runs ORDER BY id DESC LIMIT 1',
    )
    .get();
  if (last === undefined) throw new Error(`${results} has no run`);
  database.prepare('DELETE FROM runs WHERE id <> ?').run(last.id);
  database.exec(
    'DELETE FROM files WHERE sha256 NOT IN (SELECT sha256 FROM programs UNION SELECT sha256 FROM objects)',
  );
  const images = database
    .prepare(
      'SELECT overview.*, official FROM overview JOIN images ON images.id = image_id ORDER BY position',
    )
    .all();
  database.pragma('journal_mode = DELETE');
  database.exec('VACUUM');
  database.close();
  return { last, images };
}

/** Columns of calls allowed. */
const methods = ["Docker's default", "Confine's method", 'Prof-gen'];
const percent = (part) => `${(100 * part).toFixed(1)}%`;
/** The README's table: all, and by category. */
function byCategory(comparison, images) {
  const of = new Map(images.map((image) => [image.name, image]));
  const rows = comparison.groups
    .filter(({ by }) => by === 'all' || by === 'category')
    .map(({ by, value, images: names, lines }) => {
      const line = (wanted) => lines.find((one) => one.line === wanted);
      const sum = (key) => names.reduce((total, one) => total + of.get(one)[key], 0);
      const less = (wanted) => percent(line(wanted).reduction['prof-gen'].table.mean);
      return [
        by === 'all' ? 'all' : value,
        names.length,
        ...['docker-default', 'confine', 'prof-gen'].map((one) => line(one).allowed.table.mean.toFixed(0)),
        less('docker-default'),
        less('confine'),
        names.filter((one) => of.get(one).proof === 'passed').length,
        sum('denials'),
        sum('misses'),
      ];
    });
  const header = ['images', 'count', ...methods, 'less than Docker', 'less than Confine'];
  header.push('tests passed', 'denied in proofs', 'static misses');
  return { title: 'Mean over the images, by category', header, rows: rows.map((cells) => cells.map(String)) };
}

/** Puts text, whose lines all end, between two marks. */
async function fillIn(path, text) {
  const [start, end] = ['<!-- published:start -->', '<!-- published:end -->'];
  const page = await readFile(path, 'utf8');
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no marks for the table`);
  await writeFile(path, `${page.slice(0, from + start.length)}\n${text}${page.slice(to)}`);
}

try {
  const { last, images } = lastRun();
  const bad = images.filter(({ state }) => state !== 'done').map((image) => image.name);
  if (last.outcome === null || bad.length > 0) {
    fail(
      `the last run of ${name} is not whole: ${bad.join(', ') || 'it did not end'}`,
      'run it again, or go on with it by --resume',
    );
  } else {
    const cli = join(workspace, 'packages/cli/bin/prof-gen.js');
    const { stdout } = await run(process.execPath, [cli, 'compare', file, '--json'], { maxBuffer: 1 << 30 });
    const comparison = JSON.parse(stdout);
    await rm(target, { recursive: true, force: true });
    await mkdir(join(target, 'profiles'), { recursive: true });
    for (const { name: image } of images) {
      await copyFile(join(results, 'profiles', `${image}.json`), join(target, 'profiles', `${image}.json`));
    }
    await run('xz', ['-9', '--threads=1', '--keep', file]);
    await copyFile(`${file}.xz`, join(target, 'results.db.xz'));
    const compared = new Map(comparison.images.map((image) => [image.name, image]));
    const confine = (image) =>
      compared.get(image)?.lines.find(({ line }) => line === 'confine')?.allowed.table.allowed ?? '';
    const each = {
      title: 'Image by image',
      header: [
        'image',
        'stands for',
        'programs',
        'files',
        'static',
        'traced',
        ...methods,
        'test',
        'denied in it',
        'static misses',
      ],
      rows: images.map((image) =>
        [
          image.name,
          image.official ?? '',
          ...[image.programs, image.files, image.static, image.traced],
          ...[image.docker_default, confine(image.name), image.allowed],
          ...[image.proof ?? 'none', image.denials, image.misses],
        ].map(String),
      ),
    };
    const categories = byCategory(comparison, images);
    const engine = JSON.parse(last.engine ?? '{}');
    await writeFile(
      join(target, 'README.md'),
      `# The run of \`datasets/${name}.yaml\` that is published

Made by \`./scripts/evaluate ${name} --compare\`, then \`npm run publish:results\`. Prof-gen ${last.tool_version}, analyser
${last.analyzer_version}, kernel ${last.kernel}, ${engine.engine} ${engine.engineVersion} with ${engine.runtime} ${engine.runtimeVersion}.

\`results.db.xz\` is its database (\`xz -dk results.db.xz\`, then \`prof-gen report\` and \`prof-gen compare\` read it;
docs/database.md), \`profiles/\` has a profile an image for \`docker run --security-opt seccomp=FILE\`. Calls are counted in the
kernel's table; docs/methodology.md says what the columns mean.

${tablesAsMarkdown([categories, each])}`,
    );
    await fillIn(join(workspace, 'README.md'), tablesAsMarkdown([categories]));
    process.stdout.write(`${images.length} images published in ${target}\n`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
