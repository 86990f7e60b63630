import type {
  ComparedImage,
  ComparisonLine,
  ComparisonUniverse,
  Distribution,
  LineOverview,
  RunComparison,
} from '@prof-gen/core';
import { lineOf } from '../image-facts.js';
import type { FiguresTable } from './table-formats.js';

const universes: readonly ComparisonUniverse[] = ['confine', 'table', 'docker'];
const percent = (part: number): string => `${(part * 100).toFixed(1)}%`;
const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));

/** What people read of a comparison, the most important first. */
export function comparisonTables(comparison: RunComparison): FiguresTable[] {
  const [all] = comparison.groups;
  return [
    ...(all === undefined ? [] : [linesTable(comparison, all.lines), reductionTable(all.lines)]),
    imagesTable(comparison),
    groupsTable(comparison),
    breakageTable(comparison),
    ...(comparison.without.length === 0
      ? []
      : [
          {
            title: 'Images without a comparison',
            header: ['image', 'reason'],
            rows: comparison.without.map(({ name, reason }) => [name, reason]),
          },
        ]),
  ];
}

function linesTable({ universes: sizes, cves }: RunComparison, lines: readonly LineOverview[]): FiguresTable {
  const broken = ({ broken: some, images, calls }: LineOverview['trace']): string =>
    images === 0 ? '' : `${some} of ${images} (${calls})`;
  return {
    title: 'Calls allowed, mean over images; images that would break, and calls denied in them',
    header: [
      'line',
      'images',
      `Confine's ${sizes.confine}`,
      `table of ${sizes.table}`,
      "after Docker's",
      `CVEs of ${cves}`,
      'dangerous',
      'broken in the trace',
      'broken in tests',
    ],
    rows: lines.map(({ line, images, allowed, cves: closed, dangerous, trace, proof }) => [
      line,
      String(images),
      ...universes.map((universe) => figure(allowed[universe].mean)),
      figure(closed.mean),
      figure(dangerous.mean),
      broken(trace),
      broken(proof),
    ]),
  };
}

function reductionTable(lines: readonly LineOverview[]): FiguresTable {
  const rows = lines.flatMap(({ line, reduction }) =>
    (['prof-gen', 'needed'] as const).flatMap((ours) =>
      line === ours || (line !== 'confine' && ours === 'needed')
        ? []
        : universes.map((universe) => [
            `${ours} against ${line}`,
            universe,
            ...distributionCells(reduction[ours][universe]),
          ]),
    ),
  );
  return {
    title: 'How many fewer calls are allowed, image by image',
    header: ['lines', 'universe', 'mean', '95% interval', 'median', 'quartiles', 'from', 'to'],
    rows,
  };
}

function distributionCells(of: Distribution): string[] {
  return [
    percent(of.mean),
    `${percent(of.interval.from)} to ${percent(of.interval.to)}`,
    percent(of.median),
    `${percent(of.lowerQuartile)} to ${percent(of.upperQuartile)}`,
    percent(of.minimum),
    percent(of.maximum),
  ];
}

function imagesTable({ images }: RunComparison): FiguresTable {
  const counts = (image: ComparedImage, line: ComparisonLine): string[] => {
    const measures = lineOf(image, line);
    return universes.map((universe) => String(measures?.allowed[universe].allowed ?? ''));
  };
  const header = (line: string): string[] => universes.map((universe) => `${line}: ${universe}`);
  return {
    title:
      "Calls allowed by image; `published` is another image of that name, years ago, in Confine's universe",
    header: [
      'image',
      'language',
      'libc',
      ...header('prof-gen'),
      ...header('needed').slice(0, 2),
      ...header('confine'),
      'fewer: confine',
      'fewer: docker',
      'published',
    ],
    rows: images.map((image) => {
      const fewer = (universe: ComparisonUniverse): string => {
        const ours = lineOf(image, 'prof-gen')?.allowed[universe].allowed;
        const theirs = lineOf(image, 'confine')?.allowed[universe].allowed;
        return ours === undefined || !theirs ? '' : percent((theirs - ours) / theirs);
      };
      return [
        image.name,
        image.language,
        image.libc,
        ...counts(image, 'prof-gen'),
        ...counts(image, 'needed').slice(0, 2),
        ...counts(image, 'confine'),
        fewer('confine'),
        fewer('docker'),
        image.published === undefined ? '' : String(image.published.allowed),
      ];
    }),
  };
}

function groupsTable({ groups }: RunComparison): FiguresTable {
  return {
    title: "Fewer calls than Confine's method, mean by group",
    header: ['group', 'value', 'images', ...universes],
    rows: groups.flatMap(({ by, value, images, lines }) => {
      const confine = lines.find(({ line }) => line === 'confine');
      return confine === undefined
        ? []
        : [
            [
              by,
              value,
              String(images.length),
              ...universes.map((universe) => percent(confine.reduction['prof-gen'][universe].mean)),
            ],
          ];
    }),
  };
}

function breakageTable({ images }: RunComparison): FiguresTable {
  const rows = images.flatMap((image) =>
    (['prof-gen', 'confine', 'docker-default'] as const).flatMap((line) => {
      const { missesTrace = [], missesProof = [] } = lineOf(image, line) ?? {};
      return [
        ...missesTrace.map(({ name, program, phase }) => [image.name, line, 'trace', name, program, phase]),
        ...missesProof.map(({ name, program, phase }) => [image.name, line, 'test', name, program, phase]),
      ];
    }),
  );
  return {
    title: 'Calls that were made and that a line denies',
    header: ['image', 'line', 'seen in', 'call', 'program', 'phase'],
    rows,
  };
}
