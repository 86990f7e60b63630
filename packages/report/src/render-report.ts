import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ProfGenError, printable } from '@prof-gen/core';
import { assets } from './assets.js';
import { chartConfigs } from './charts/chart-configs.js';
import { drawChart } from './charts/draw-chart.js';
import { fileNames } from './file-names.js';
import { callFacts } from './call-facts.js';
import { callPage } from './pages/call-page.js';
import { callsPage } from './pages/calls-page.js';
import { imagePage } from './pages/image-page.js';
import { overviewPage } from './pages/overview-page.js';
import type { ReportInput } from './report-input.js';
import { comparisonTables } from './tables/comparison-tables.js';
import { imagesCsv, imagesTable } from './tables/images-table.js';
import { comparisonAsCsv, tablesAsLatex, tablesAsMarkdown } from './tables/table-formats.js';

/** Says that a directory holds a report, and so that the next one may take its place. */
const marker = '.prof-gen-report';

export interface RenderedReport {
  /** The page to open. */
  readonly index: string;
  /** Paths of all files, sorted, relative to the directory. */
  readonly files: readonly string[];
}

/**
 * Writes a static site that works from a disk and without a network, the tables as CSV, Markdown and
 * LaTeX, `claims.json`, each image's profile and document, and the charts as PNG. Equal inputs give equal bytes. The files appear together: a report
 * that stood there is replaced at the end, and stays as it was when something fails.
 * @throws ProfGenError `usage/report-directory` when the directory holds something else,
 *   `environment/disk-full`, `environment/cannot-write`
 */
export async function renderReport(input: ReportInput, directory: string): Promise<RenderedReport> {
  const target = resolve(directory);
  const files = await reportFiles(input);
  let temporary: string | undefined;
  try {
    await mkdir(dirname(target), { recursive: true });
    await refuseOthers(target);
    temporary = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    for (const [name, content] of files) {
      await mkdir(dirname(join(temporary, name)), { recursive: true });
      await writeFile(join(temporary, name), content);
    }
    // A directory cannot be exchanged in one step: the old one steps aside for a moment.
    const old = `${temporary}-old`;
    const replaced = await rename(target, old).then(
      () => true,
      () => false,
    );
    await rename(temporary, target);
    if (replaced) await rm(old, { recursive: true, force: true });
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    throw writeError(error, target);
  }
  return { index: join(target, 'index.html'), files: [...files.keys()].sort() };
}

async function reportFiles(input: ReportInput): Promise<Map<string, string | Uint8Array>> {
  const { images, comparison, claims } = input;
  const names = fileNames(images.map(({ name }) => name));
  const light = chartConfigs(images, comparison, 'light');
  const charts = { light, dark: chartConfigs(images, comparison, 'dark') };
  const calls = callFacts(input);
  const table = [imagesTable(images, comparison)];
  const files = new Map<string, string | Uint8Array>([
    [marker, 'Written by prof-gen; the next report replaces this directory.\n'],
    ['index.html', overviewPage(input, names, charts)],
    ['images.csv', imagesCsv(images, comparison)],
    ['images.md', tablesAsMarkdown(table)],
    ['images.tex', tablesAsLatex(table)],
  ]);
  if (claims !== undefined) files.set('claims.json', `${JSON.stringify(claims, null, 2)}\n`);
  if (comparison !== undefined) {
    const tables = comparisonTables(comparison);
    files.set('comparison.csv', comparisonAsCsv(comparison));
    files.set('comparison.md', tablesAsMarkdown(tables));
    files.set('comparison.tex', tablesAsLatex(tables));
  }
  for (const [name, content] of await assets()) files.set(`assets/${name}`, content);
  for (const chart of light) files.set(`charts/${chart.id}.png`, await drawChart(chart, '#ffffff'));
  const compared = new Map(comparison?.images.map((image) => [image.name, image]));
  images.forEach((image, index) => {
    const name = names[index] as string;
    files.set(`images/${name}.html`, imagePage(image, compared.get(image.name), name));
    files.set(`profiles/${name}.docker.json`, image.dockerProfile);
    // Documents are long and repeat themselves: one of 200 KB takes 14.
    files.set(`profiles/${name}.json.gz`, gzipSync(`${JSON.stringify(image.document)}\n`, { level: 9 }));
  });
  files.set('calls/index.html', callsPage(calls, input));
  for (const call of calls) files.set(`calls/${call.name}.html`, callPage(call, input, names));
  return files;
}

async function refuseOthers(target: string): Promise<void> {
  let present: string[];
  try {
    present = await readdir(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (present.length > 0 && !present.includes(marker)) {
    throw new ProfGenError(
      'usage/report-directory',
      `${printable(target)} holds files that are not a report`,
      {
        hint: 'name an empty or new directory: a report replaces the whole directory',
      },
    );
  }
}

function writeError(error: unknown, target: string): unknown {
  if (error instanceof ProfGenError || !(error instanceof Error) || !('syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ProfGenError(
      'environment/disk-full',
      `no space is left for the report in ${printable(target)}`,
      {
        hint: 'free some space, or name another directory',
        retryable: true,
        causes: [error],
      },
    );
  }
  return new ProfGenError(
    'environment/cannot-write',
    `the report cannot be written to ${printable(target)}`,
    {
      hint: 'check the path and its permissions',
      causes: [error],
    },
  );
}
