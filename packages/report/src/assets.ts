import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Files of `assets/`, by name: the package's own, and Chart.js as it is published for browsers. */
export async function assets(): Promise<ReadonlyMap<string, Uint8Array>> {
  // Beside src and dist alike.
  const own = (name: string) => readFile(new URL(`../assets/${name}`, import.meta.url));
  const chartJs = createRequire(import.meta.url)
    .resolve('chart.js')
    .replace(/chart\.c?js$/, 'chart.umd.min.js');
  return new Map([
    ['report.css', await own('report.css')],
    ['report.js', await own('report.js')],
    ['chart.umd.js', await readFile(chartJs)],
  ]);
}
