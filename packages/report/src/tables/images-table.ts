import type { RunComparison } from '@prof-gen/core';
import { imageFacts, lineOf, reductionOf } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';
import { asCsv, type FiguresTable } from './table-formats.js';

const columns = [
  'image',
  'official',
  'category',
  'status',
  'proof',
  'programs',
  'files',
  'static',
  'traced',
  'allowed',
  'docker_default',
  'static_misses',
  'denied_in_proof',
  'unresolved',
  'undecided',
  'seconds',
] as const;
/** Only where the run has compared. */
const comparedColumns = ['language', 'libc', 'confine_method', 'percent_fewer_than_confine_method'] as const;

type Row = readonly (string | number)[];

function rowsOf(images: readonly ReportImage[], comparison: RunComparison | undefined): readonly Row[] {
  const compared = new Map(comparison?.images.map((image) => [image.name, image]));
  return images.map((image) => {
    const { document, name } = image;
    const facts = imageFacts(image);
    const own = compared.get(name);
    const fewer = reductionOf(own, 'confine');
    return [
      name,
      image.official ?? '',
      image.category ?? '',
      document.status,
      document.proof?.status ?? '',
      document.stats.programs,
      document.stats.files,
      facts.static,
      facts.traced,
      facts.allowed,
      facts.dockerDefault,
      facts.misses,
      facts.denials ?? '',
      document.unresolved.length,
      document.undecided.length,
      facts.seconds.toFixed(1),
      ...(comparison === undefined
        ? []
        : [
            own?.language ?? '',
            own?.libc ?? '',
            lineOf(own, 'confine')?.allowed.confine.allowed ?? '',
            fewer === undefined ? '' : Math.round(fewer * 1000) / 10,
          ]),
    ];
  });
}

const header = (comparison: RunComparison | undefined): readonly string[] =>
  comparison === undefined ? columns : [...columns, ...comparedColumns];

/** One line an image. */
export function imagesCsv(images: readonly ReportImage[], comparison?: RunComparison): string {
  return asCsv([header(comparison), ...rowsOf(images, comparison)]);
}

/** The same for people. */
export function imagesTable(images: readonly ReportImage[], comparison?: RunComparison): FiguresTable {
  return {
    title: 'Images and their profiles',
    header: header(comparison),
    rows: rowsOf(images, comparison).map((row) => row.map(String)),
  };
}
