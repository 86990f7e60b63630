import { imagePhases, type RunComparison, x86_64Syscalls } from '@prof-gen/core';
import { filesByImage, imageFacts, lineOf, mean, reasonCounts, reductionOf } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';
import { axisName, barChart, type Chart, heatMap, type Series, type Theme } from './chart.js';

/** The charts of a run, none without images; those of a comparison only where there is one. */
export function chartConfigs(
  images: readonly ReportImage[],
  comparison: RunComparison | undefined,
  theme: Theme,
): readonly Chart[] {
  if (images.length === 0) return [];
  return [
    ...(comparison === undefined ? [] : [distributionChart(comparison, theme)]),
    allowedChart(images, comparison, theme),
    ...(comparison === undefined ? [] : [categoryChart(comparison, theme)]),
    reasonsChart(images, theme),
    ...frequencyChart(images, theme),
    ...cveChart(images, comparison, theme),
    ...timeChart(images, theme),
    cacheChart(images, theme),
  ];
}

/** Width of a column of the distribution, in percent. */
const step = 5;

function distributionChart({ images, groups }: RunComparison, theme: Theme): Chart {
  const values = images.flatMap((image) => {
    const part = reductionOf(image, 'confine');
    return part === undefined ? [] : [part * 100];
  });
  const column = (value: number): number => Math.floor(value / step + 1e-9);
  const first = Math.min(0, ...values.map(column));
  const last = Math.max(0, ...values.map(column));
  const columns = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const all = groups[0]?.lines.find(({ line }) => line === 'confine')?.reduction['prof-gen'].confine;
  return barChart(theme, {
    id: 'distribution',
    title: "How many fewer calls than Confine's method",
    unit: 'images',
    columns: { unit: "fewer calls, % of those that Confine's method allows" },
    labels: columns.map((each) => `${each * step} to ${(each + 1) * step}`),
    series: [
      {
        label: 'images',
        values: columns.map((each) => values.filter((value) => column(value) === each).length),
        colour: 0,
      },
    ],
    description:
      all === undefined
        ? ''
        : `${(all.mean * 100).toFixed(1)}% fewer on average, ${(all.median * 100).toFixed(1)}% in the median; half of the images lie between ${(all.lowerQuartile * 100).toFixed(1)}% and ${(all.upperQuartile * 100).toFixed(1)}%.`,
  });
}

function allowedChart(
  images: readonly ReportImage[],
  comparison: RunComparison | undefined,
  theme: Theme,
): Chart {
  const facts = images.map(imageFacts);
  const compared = new Map(comparison?.images.map((image) => [image.name, image]));
  const confine = images.map(({ name }) => lineOf(compared.get(name), 'confine')?.allowed.table.allowed);
  const published = images.map(({ measures }) => measures?.confinePublished?.allowed);
  const known = (label: string, values: readonly (number | undefined)[], colour: number): Series[] =>
    values.some((value) => value !== undefined)
      ? [{ label, values: values.map((value) => value ?? Number.NaN), colour }]
      : [];
  return barChart(theme, {
    id: 'allowed',
    title: 'System calls that stay open',
    unit: 'calls',
    labels: images.map(({ name }) => axisName(name)),
    series: [
      { label: 'Prof-gen', values: facts.map(({ allowed }) => allowed), colour: 0 },
      ...known("Confine's method", confine, 1),
      ...known('Confine, as published', published, 3),
      { label: "Docker's default", values: facts.map(({ dockerDefault }) => dockerDefault), colour: 2 },
    ],
    description: `On average ${Math.round(mean(facts.map(({ allowed }) => allowed)))} calls are allowed, and ${Math.round(mean(facts.map(({ dockerDefault }) => dockerDefault)))} by Docker's default profile. Confine's published figures are of other, older images and of its own 326 calls.`,
  });
}

function categoryChart({ groups }: RunComparison, theme: Theme): Chart {
  const categories = groups.filter(({ by }) => by === 'category');
  const reduction = (line: string): number[] =>
    categories.map(({ lines }) => {
      const part = lines.find((one) => one.line === line)?.reduction['prof-gen'].confine.mean;
      return part === undefined ? Number.NaN : part * 100;
    });
  return barChart(theme, {
    id: 'categories',
    title: 'Fewer calls by category',
    unit: '% fewer, mean',
    labels: categories.map(({ value, images }) => `${axisName(value)} (${images.length})`),
    series: [
      { label: "than Confine's method", values: reduction('confine'), colour: 0 },
      { label: "than Docker's default", values: reduction('docker-default'), colour: 2 },
    ],
    description: "Mean of the images of a category, in Confine's universe of calls.",
  });
}

function reasonsChart(images: readonly ReportImage[], theme: Theme): Chart {
  const reasons = images.map(({ document }) => reasonCounts(document));
  return barChart(theme, {
    id: 'reasons',
    title: 'Why calls are allowed',
    unit: 'calls',
    stacked: true,
    labels: images.map(({ name }) => axisName(name)),
    series: [
      { label: 'in code and traced', values: reasons.map(({ both }) => both), colour: 0 },
      { label: 'in code only', values: reasons.map((each) => each.static), colour: 4 },
      { label: 'traced only', values: reasons.map(({ traced }) => traced), colour: 1 },
      { label: 'runtime, kernel, user', values: reasons.map(({ other }) => other), colour: 2 },
    ],
    description: `On average ${Math.round(mean(reasons.map(({ both }) => both)))} allowed calls were found in code and traced, ${Math.round(mean(reasons.map((each) => each.static)))} in code only.`,
  });
}

/** Calls that some images allow and others do not, by category; none where all images allow the same. */
function frequencyChart(images: readonly ReportImage[], theme: Theme): Chart[] {
  const allowed = images.map(({ document }) => new Set(document.syscalls.map(({ name }) => name)));
  const categories = [...new Set(images.map(({ category }) => category ?? 'none'))].sort();
  const groups = [
    { name: 'all', members: allowed },
    ...(categories.length < 2
      ? []
      : categories.map((category) => ({
          name: axisName(category),
          members: allowed.filter((_, index) => (images[index]?.category ?? 'none') === category),
        }))),
  ];
  const rows = [...x86_64Syscalls.names].sort().flatMap((name) => {
    const parts = groups.map(({ members }) => members.filter((set) => set.has(name)).length / members.length);
    const whole = parts[0] ?? 0;
    return whole > 0 && whole < 1 ? [{ label: name, parts }] : [];
  });
  if (rows.length === 0) return [];
  const everywhere = x86_64Syscalls.names.filter((name) => allowed.every((set) => set.has(name))).length;
  return [
    heatMap(theme, {
      id: 'frequency',
      title: 'Which calls are allowed how often',
      description: `Part of the images that allow a call, by category. ${everywhere} calls are allowed in all images and ${rows.length} in some; these are shown.`,
      columns: groups.map(({ name }) => name),
      rows,
    }),
  ];
}

const lineNames: Readonly<Record<string, string>> = {
  'prof-gen': 'Prof-gen',
  needed: "Prof-gen before Docker's default",
  confine: "Confine's method",
  'docker-default': "Docker's default",
  imports: 'all imports',
  'address-taken': 'address taken',
  trace: 'trace alone',
};

function cveChart(
  images: readonly ReportImage[],
  comparison: RunComparison | undefined,
  theme: Theme,
): Chart[] {
  const measures = images.flatMap((image) => (image.measures === undefined ? [] : [image.measures.cves]));
  const lines =
    comparison?.groups[0]?.lines.map(({ line, cves }) => ({
      label: lineNames[line] ?? line,
      value: cves.mean,
    })) ??
    (measures.length === 0
      ? []
      : [
          { label: 'Prof-gen', value: mean(measures.map(({ neutralised }) => neutralised.length)) },
          {
            label: "Docker's default",
            value: mean(measures.map(({ byDockerDefault }) => byDockerDefault.length)),
          },
        ]);
  const total = comparison?.cves ?? measures[0]?.total ?? 0;
  if (lines.length === 0) return [];
  return [
    barChart(theme, {
      id: 'cves',
      title: 'Kernel CVEs out of reach',
      unit: `CVEs of ${total}, mean over images`,
      labels: lines.map(({ label }) => label),
      series: [{ label: 'CVEs', values: lines.map(({ value }) => value), colour: 0 }],
      description: `A CVE counts when every call that reaches it is denied. ${lines.map(({ label, value }) => `${label}: ${value.toFixed(1)}`).join('; ')}.`,
    }),
  ];
}

function timeChart(images: readonly ReportImage[], theme: Theme): Chart[] {
  const others = new Set(images.flatMap(({ timings }) => Object.keys(timings)));
  for (const phase of imagePhases) others.delete(phase);
  const phases = [...imagePhases, ...[...others].sort()].filter((phase) =>
    images.some(({ timings }) => timings[phase] !== undefined),
  );
  if (phases.length === 0) return [];
  return [
    barChart(theme, {
      id: 'seconds',
      title: 'Where the time went',
      unit: 'seconds',
      stacked: true,
      labels: images.map(({ name }) => axisName(name)),
      series: phases.map((phase, index) => ({
        label: axisName(phase),
        values: images.map(({ timings }) => (timings[phase] ?? 0) / 1000),
        colour: index,
      })),
      description: `An image took ${mean(images.map((image) => imageFacts(image).seconds)).toFixed(1)} seconds on average.`,
    }),
  ];
}

function cacheChart(images: readonly ReportImage[], theme: Theme): Chart {
  const files = filesByImage(images);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const fresh = files.map((each) => each.fresh);
  const shared = files.map((each) => each.shared);
  return barChart(theme, {
    id: 'cache',
    title: 'Files that are analysed once',
    unit: 'ELF files',
    stacked: true,
    labels: images.map(({ name }) => axisName(name)),
    series: [
      { label: 'new', values: fresh, colour: 0 },
      { label: 'in an image before, too: its summary is there', values: shared, colour: 7 },
    ],
    description: `Of ${sum(fresh) + sum(shared)} files of all images together, ${sum(fresh)} are distinct. Images stand in the dataset's order.`,
  });
}
