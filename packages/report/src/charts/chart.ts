import { printable } from '@prof-gen/core';
import type { ChartConfiguration } from 'chart.js';

export type Theme = 'light' | 'dark';

/** One chart: plain JSON, drawn in the page and as a PNG from the same configuration. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What one sees in it, for those who do not see it. */
  readonly description: string;
  /** CSS pixels; the width is the page's, or 900 in a PNG. */
  readonly height: number;
  readonly config: ChartConfiguration<'bar'> | ChartConfiguration<'scatter', Point[]>;
}

/** A cell of a heat map: the categories' names on both axes. */
export interface Point {
  readonly x: string;
  readonly y: string;
}

/** Distinguishable in both themes and with the common forms of colour blindness (after Okabe and Ito). */
const palettes = {
  light: {
    text: '#334155',
    grid: '#e2e8f0',
    series: ['#0f766e', '#e08a1e', '#64748b', '#7c5cbf', '#2f7fc1', '#b5467a', '#8a9a2b', '#cbd5e1'],
    heat: ['#d8ebe8', '#a3d1ca', '#63ada4', '#2b8a80', '#0b514b'],
  },
  dark: {
    text: '#cbd5e1',
    grid: '#2b3648',
    series: ['#2dd4bf', '#f5b65b', '#94a3b8', '#b39ae8', '#6fb3ea', '#e58ab4', '#c3d16a', '#475569'],
    heat: ['#1b3a40', '#1c5a5b', '#1f847d', '#29b3a3', '#8af0e2'],
  },
} as const;

const font = { family: 'DejaVu Sans', size: 12 };
/** More rows than these stand closer together. */
const manyRows = 40;

export interface Series {
  readonly label: string;
  readonly values: readonly number[];
  readonly colour: number;
}

interface ChartTexts {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

export interface BarChart extends ChartTexts {
  readonly unit: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly stacked?: boolean;
  /** Columns that stand side by side on a scale of labels, instead of rows. */
  readonly columns?: { readonly unit: string };
}

/** Bars, a row or a column a label. */
export function barChart(
  theme: Theme,
  { id, title, description, unit, labels, series, stacked = false, columns }: BarChart,
): Chart {
  const { text, series: colours } = palettes[theme];
  const many = labels.length > manyRows;
  const perRow = stacked ? (many ? 17 : 26) : (many ? 7 : 14) * series.length + (many ? 8 : 12);
  const axis = { ...axisOf(theme), stacked };
  const figures = {
    ...axis,
    ticks: { ...axis.ticks, ...(columns === undefined ? {} : { precision: 0 }) },
    beginAtZero: true,
    title: { display: true, text: unit, color: text, font },
  };
  const named = {
    ...axis,
    grid: { display: false },
    ticks: { ...axis.ticks, autoSkip: false, ...(many ? { font: { ...font, size: 10 } } : {}) },
    ...(columns === undefined ? {} : { title: { display: true, text: columns.unit, color: text, font } }),
  };
  return {
    id,
    title,
    description,
    height: columns === undefined ? Math.max(180, 96 + labels.length * perRow) : 320,
    config: {
      type: 'bar',
      data: {
        labels: [...labels],
        datasets: series.map(({ label, values, colour }) => ({
          label,
          data: [...values],
          backgroundColor: colours[colour % colours.length] ?? text,
          borderRadius: stacked ? 0 : 3,
          categoryPercentage: columns === undefined ? 0.78 : 1,
          barPercentage: 0.92,
        })),
      },
      options: {
        ...optionsOf(theme),
        indexAxis: columns === undefined ? 'y' : 'x',
        scales: columns === undefined ? { x: figures, y: named } : { x: named, y: figures },
      },
    },
  };
}

/** Parts from 0 to 1 are told by five colours; a cell without a part stays empty. */
const heatSteps = ['up to 20%', 'to 40%', 'to 60%', 'to 80%', 'to all'] as const;

export interface HeatMap extends ChartTexts {
  readonly columns: readonly string[];
  /** For each column a part, 0 to 1. */
  readonly rows: readonly { readonly label: string; readonly parts: readonly number[] }[];
}

/** A heat map as points on two scales of names. */
export function heatMap(theme: Theme, { id, title, description, columns, rows }: HeatMap): Chart {
  const { heat } = palettes[theme];
  const axis = axisOf(theme);
  const labelled = { ...axis, type: 'category' as const, offset: true, grid: { display: false } };
  const steps = heatSteps.map((label) => ({ label, points: [] as Point[] }));
  for (const row of rows) {
    row.parts.forEach((part, column) => {
      if (part <= 0) return;
      const step = steps[Math.min(heatSteps.length - 1, Math.ceil(part * heatSteps.length) - 1)];
      step?.points.push({ x: columns[column] ?? '', y: row.label });
    });
  }
  return {
    id,
    title,
    description,
    height: 140 + rows.length * 15,
    config: {
      type: 'scatter',
      data: {
        datasets: steps.map(({ label, points }, step) => ({
          label,
          data: points,
          backgroundColor: heat[step] ?? axis.ticks.color,
          borderWidth: 0,
          pointStyle: 'rect',
          radius: 9,
          hoverRadius: 9,
        })),
      },
      options: {
        ...optionsOf(theme),
        scales: {
          x: { ...labelled, labels: [...columns], position: 'top' },
          y: {
            ...labelled,
            labels: rows.map(({ label }) => label),
            reverse: false,
            ticks: { ...axis.ticks, autoSkip: false, font: { ...font, size: 10 } },
          },
        },
      },
    },
  };
}

/** A name on an axis. */
export const axisName = (text: string): string => printable(text, 32);

function axisOf(theme: Theme) {
  const { text, grid } = palettes[theme];
  return { grid: { color: grid }, border: { color: grid }, ticks: { color: text, font } };
}

function optionsOf(theme: Theme) {
  const { text } = palettes[theme];
  return {
    animation: false,
    maintainAspectRatio: false,
    locale: 'en',
    plugins: {
      legend: {
        position: 'top',
        align: 'start',
        labels: { color: text, font, boxWidth: 12, boxHeight: 12 },
      },
      tooltip: { bodyFont: font, titleFont: font, mode: 'index', intersect: false },
    },
  } as const;
}
