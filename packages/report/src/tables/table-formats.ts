import { printable, type RunComparison } from '@prof-gen/core';

/** A table before it has a form: the first column is text, the others are figures. */
export interface FiguresTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Markup is shown, not followed. */
const markdownCell = (text: string): string =>
  printable(text)
    .replace(/[\\|<>*_`[\]&~]/g, '\\$&')
    .replace(/\s+/g, ' ');

/** GitHub's tables. */
export function tablesAsMarkdown(tables: readonly FiguresTable[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |\n`;
  return tables
    .map(({ title, header, rows }) => {
      const table = row(header) + row(header.map(() => '---')) + rows.map(row).join('');
      return `### ${title}\n\n${rows.length === 0 ? 'none\n' : table}`;
    })
    .join('\n');
}

const latexWords: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};
const latexCell = (text: string): string =>
  printable(text)
    .replace(/[\\~^&%$#_{}]/g, (character) => latexWords[character] ?? `\\${character}`)
    .replace(/`(\w+)'?`?/g, '$1')
    .replace(/\s+/g, ' ');

/** A `tabular` of booktabs for each table; to be put into a document that loads that package. */
export function tablesAsLatex(tables: readonly FiguresTable[]): string {
  const row = (cells: readonly string[]): string => `${cells.map(latexCell).join(' & ')} \\\\\n`;
  return tables
    .map(
      ({ title, header, rows }) =>
        `% ${title.replace(/\s+/g, ' ')}\n\\begin{tabular}{l${'r'.repeat(header.length - 1)}}\n\\toprule\n` +
        `${row(header)}\\midrule\n${rows.map(row).join('')}\\bottomrule\n\\end{tabular}\n`,
    )
    .join('\n');
}

/** A formula in a cell would be run by a spreadsheet; a name of an image can be one. */
function csvCell(value: string | number | undefined): string {
  const plain = printable(String(value ?? ''));
  const text = typeof value === 'string' && /^[=+\-@]/.test(plain) ? `'${plain}` : plain;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180. */
export function asCsv(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return `${rows.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
}

/** One row an image and line for other tools. */
export function comparisonAsCsv({ images }: RunComparison): string {
  const header = [
    'image',
    'official',
    'category',
    'language',
    'libc',
    'line',
    'allowed_confine',
    'allowed_table',
    'allowed_docker',
    'cves',
    'dangerous',
    'conditional',
    'misses_trace',
    'misses_proof',
    'published_allowed_confine',
  ];
  const rows = images.flatMap(({ name, official, category, language, libc, lines, published }) =>
    lines.map((line) => [
      name,
      official,
      category,
      language,
      libc,
      line.line,
      line.allowed.confine.allowed,
      line.allowed.table.allowed,
      line.allowed.docker.allowed,
      line.cves.length,
      line.dangerous.length,
      line.conditional.length,
      line.missesTrace?.length,
      line.missesProof?.length,
      published?.allowed,
    ]),
  );
  return asCsv([header, ...rows]);
}
