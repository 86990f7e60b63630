import { createRequire } from 'node:module';
import type { ChartConfiguration } from 'chart.js';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Chart } from './chart.js';

const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const width = 900;
/** Taller charts are drawn at a ratio of 1, to keep the report small. */
const tall = 1200;

/**
 * The chart as a PNG of 900 pixels' width at a ratio of 2, or 1 for tall ones. With the font that is shipped, equal charts give
 * equal bytes on every machine with the same versions of the libraries.
 */
export async function drawChart({ config, height }: Chart, background: string): Promise<Uint8Array> {
  const canvas = new ChartJSNodeCanvas({ width, height, backgroundColour: background });
  canvas.registerFont(font, { family: 'DejaVu Sans' });
  const options = { ...config.options, responsive: false, devicePixelRatio: height > tall ? 1 : 2 };
  // Chart.js keeps and changes what it is given. Its type of any chart does not take in a union of two.
  return await canvas.renderToBuffer(
    structuredClone({ ...config, options }) as unknown as ChartConfiguration,
  );
}
