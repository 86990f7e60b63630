import { imagePhases, printable } from '@prof-gen/core';
import type { ChartConfiguration } from 'chart.js';
import { imageFacts, reasonCounts } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';

export type Theme = 'light' | 'dark';

/** One chart: plain JSON, drawn in the page and as a PNG from the same configuration. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What one sees in it, for those who do not see it. */
  readonly description: string;
  /** CSS pixels; the width is the page's, or 900 in a PNG. */
  readonly height: number;
  readonly config: ChartConfiguration<'bar'>;
}

/** Distinguishable in both themes and with the common forms of colour blindness (after Okabe and Ito). */
const palettes = {
  light: {
    text: '#334155',
    grid: '#e2e8f0',
    series: ['#0f766e', '#e08a1e', '#64748b', '#7c5cbf', '#2f7fc1', '#b5467a', '#8a9a2b', '#cbd5e1'],
  },
  dark: {
    text: '#cbd5e1',
    grid: '#2b3648',
    series: ['#2dd4bf', '#f5b65b', '#94a3b8', '#b39ae8', '#6fb3ea', '#e58ab4', '#c3d16a', '#475569'],
  },
} as const;

interface Series {
  readonly label: string;
  readonly values: readonly number[];
  readonly colour: number;
}

/** The charts of a run, none without images. */
export function chartConfigs(images: readonly ReportImage[], theme: Theme): readonly Chart[] {
  if (images.length === 0) return [];
  const facts = images.map(imageFacts);
  const names = images.map(({ name }) => printable(name, 32));
  const reasons = images.map(({ document }) => reasonCounts(document));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const allowed = facts.map((each) => each.allowed);
  const published = images.map(({ measures }) => measures?.confinePublished?.allowed);
  const phases = [
    ...imagePhases,
    ...new Set(
      images
        .flatMap(({ timings }) => Object.keys(timings))
        .filter((p) => !(imagePhases as readonly string[]).includes(p))
        .sort(),
    ),
  ].filter((phase) => images.some(({ timings }) => timings[phase] !== undefined));
  return [
    chart(
      theme,
      'allowed',
      'System calls that stay open',
      'calls',
      false,
      names,
      [
        { label: 'Prof-gen', values: allowed, colour: 0 },
        ...(published.some((value) => value !== undefined)
          ? [
              {
                label: 'Confine, as published',
                values: published.map((value) => value ?? Number.NaN),
                colour: 1,
              },
            ]
          : []),
        { label: "Docker's default", values: facts.map((each) => each.dockerDefault), colour: 2 },
      ],
      `On average ${Math.round(mean(allowed))} calls are allowed, and ${Math.round(mean(facts.map((each) => each.dockerDefault)))} by Docker's default profile.`,
    ),
    chart(
      theme,
      'reasons',
      'Why calls are allowed',
      'calls',
      true,
      names,
      [
        { label: 'in code and traced', values: reasons.map(({ both }) => both), colour: 0 },
        { label: 'in code only', values: reasons.map((each) => each.static), colour: 4 },
        { label: 'traced only', values: reasons.map(({ traced }) => traced), colour: 1 },
        { label: 'runtime, kernel, user', values: reasons.map(({ other }) => other), colour: 2 },
      ],
      `On average ${Math.round(mean(reasons.map(({ both }) => both)))} allowed calls were found in code and traced, ${Math.round(mean(reasons.map((each) => each.static)))} in code only.`,
    ),
    ...(phases.length === 0
      ? []
      : [
          chart(
            theme,
            'seconds',
            'Where the time went',
            'seconds',
            true,
            names,
            phases.map((phase, index) => ({
              label: printable(phase, 32),
              values: images.map(({ timings }) => (timings[phase] ?? 0) / 1000),
              colour: index,
            })),
            `An image took ${mean(facts.map((each) => each.seconds)).toFixed(1)} seconds on average.`,
          ),
        ]),
  ];
}

function chart(
  theme: Theme,
  id: string,
  title: string,
  unit: string,
  stacked: boolean,
  labels: readonly string[],
  series: readonly Series[],
  description: string,
): Chart {
  const { text, grid, series: colours } = palettes[theme];
  const perImage = stacked ? 26 : 14 * series.length + 12;
  const font = { family: 'DejaVu Sans', size: 12 };
  const axis = { grid: { color: grid }, border: { color: grid }, ticks: { color: text, font }, stacked };
  return {
    id,
    title,
    description,
    height: Math.max(180, 96 + labels.length * perImage),
    config: {
      type: 'bar',
      data: {
        labels: [...labels],
        datasets: series.map(({ label, values, colour }) => ({
          label,
          data: [...values],
          backgroundColor: colours[colour % colours.length] ?? text,
          borderRadius: stacked ? 0 : 3,
          categoryPercentage: 0.78,
          barPercentage: 0.92,
        })),
      },
      options: {
        indexAxis: 'y',
        animation: false,
        maintainAspectRatio: false,
        locale: 'en',
        scales: {
          x: { ...axis, beginAtZero: true, title: { display: true, text: unit, color: text, font } },
          y: { ...axis, grid: { display: false }, ticks: { ...axis.ticks, autoSkip: false } },
        },
        plugins: {
          legend: {
            position: 'top',
            align: 'start',
            labels: { color: text, font, boxWidth: 12, boxHeight: 12 },
          },
          tooltip: { bodyFont: font, titleFont: font, mode: 'index', intersect: false },
        },
      },
    },
  };
}
