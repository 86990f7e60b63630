import { printable } from '@prof-gen/core';
import { imageFacts } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';

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

function rowOf(image: ReportImage): readonly (string | number)[] {
  const facts = imageFacts(image);
  const { document } = image;
  return [
    image.name,
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
  ];
}

/** One line an image (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function imagesCsv(images: readonly ReportImage[]): string {
  const cell = (value: string | number) => {
    const text = printable(String(value));
    const inert = typeof value === 'string' && /^[=+\-@]/.test(text) ? `'${text}` : text;
    return /[",]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };
  const lines = [columns, ...images.map(rowOf)].map((row) => row.map(cell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** The same as a table of GitHub's Markdown; markup in names is shown, not followed. */
export function imagesMarkdown(images: readonly ReportImage[]): string {
  const cell = (value: string | number) => printable(String(value)).replace(/[\\`*_{}[\]<>()#!|&~]/g, '\\$&');
  const line = (row: readonly (string | number)[]) => `| ${row.map(cell).join(' | ')} |\n`;
  const rule = `| ${columns.map((_, index) => (index < 5 ? '---' : '---:')).join(' | ')} |\n`;
  return line(columns) + rule + images.map((image) => line(rowOf(image))).join('');
}
