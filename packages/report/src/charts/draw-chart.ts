import { createRequire } from 'node:module';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Chart } from './chart-configs.js';

const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const width = 900;

/**
 * The chart as a PNG of 900 pixels' width at a ratio of 2. With the font that is shipped, equal charts give
 * equal bytes on every machine with the same versions of the libraries.
 */
export async function drawChart({ config, height }: Chart, background: string): Promise<Uint8Array> {
  const canvas = new ChartJSNodeCanvas({ width, height, backgroundColour: background });
  canvas.registerFont(font, { family: 'DejaVu Sans' });
  const options = { ...config.options, responsive: false, devicePixelRatio: 2 };
  // Chart.js keeps and changes what it is given.
  return await canvas.renderToBuffer(structuredClone({ ...config, options }));
}
