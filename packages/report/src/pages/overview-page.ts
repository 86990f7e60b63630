import type { ComparedImage, RunComparison } from '@prof-gen/core';
import type { Chart, Theme } from '../charts/chart.js';
import { html, jsonBlock, type Markup } from '../html/html.js';
import { page } from '../html/page.js';
import { counted, filterBar, heads, percent, sortHeads, statusBadge, table, tiles } from '../html/parts.js';
import { imageFacts, lineOf, median, reductionOf } from '../image-facts.js';
import type { ReportImage, ReportInput } from '../report-input.js';
import { claimsSection, linesSection } from './claims-section.js';

const columns: readonly (readonly [name: string, kind: 'text' | 'number', title: string])[] = [
  ['Image', 'text', 'Name in the dataset'],
  ['Category', 'text', 'As the dataset has it'],
  ['Language', 'text', 'What its main program is written in'],
  ['Proof', 'text', 'What the profile rests on'],
  ['Programs', 'number', 'Executables found'],
  ['Files', 'number', 'Distinct ELF files analysed'],
  ['Static', 'number', 'Calls found in code'],
  ['Traced', 'number', 'Calls seen while it ran'],
  ['Allowed', 'number', 'Calls that the profile allows'],
  ['Docker', 'number', "Calls that Docker's default profile allows"],
  ['Fewer', 'number', "Part of Docker's default that is denied"],
  ['Confine', 'number', "Calls that Confine's method allows, of the 326 that it counts"],
  ['Than it', 'number', "How many fewer of these Prof-gen allows than Confine's method"],
  ['Misses', 'number', 'Calls seen or denied that the static set lacks'],
  ['Denied', 'number', 'Calls denied in the proof'],
  ['Seconds', 'number', 'All phases'],
];

/** Columns of runs that have compared. */
const ofComparison = new Set(['Language', 'Confine', 'Than it']);

/** The first page: what ran, the images, the charts. */
export function overviewPage(
  input: ReportInput,
  fileNames: readonly string[],
  charts: Readonly<Record<Theme, readonly Chart[]>>,
): string {
  const { images, failures, run, title, claims, comparison } = input;
  const content = html`<div class="hero"><h1>${title}</h1>
<p class="lead">${counted(images.length, 'image')} profiled with Prof-gen ${run.toolVersion}${failures.length > 0 && html`, <a href="#failures">${failures.length} failed</a>`}.
Each profile allows the system calls that the container needs, and says why.</p></div>
${tiles(overviewTiles(input))}
${claims !== undefined && claimsSection(claims)}
<section aria-labelledby="images"><h2 id="images">Images</h2>
${images.length === 0 ? html`<p>No image was finished.</p>` : imageTable(images, comparison, fileNames)}
<p class="quiet">The same as <a href="images.csv" download>CSV</a>, <a href="images.md" download>Markdown</a> or <a href="images.tex" download>LaTeX</a>. By call: <a href="calls/index.html">all system calls</a>.
Static: calls found in code. Traced: seen in a generic run. Allowed: what the profile lets through, the runtime's own calls included.
Misses: calls seen or denied that static analysis had not found.</p></section>
${failures.length > 0 && failureList(failures)}
${images.length > 0 && linesSection(comparison)}
${charts.light.length > 0 && chartList(charts.light)}
<section aria-labelledby="run"><h2 id="run">Run</h2>${runFacts(run)}</section>
${jsonBlock('charts', charts)}`;
  return page({ title, root: '', content, scripts: ['chart.umd.js', 'report.js'] });
}

function overviewTiles({ images, failures }: ReportInput): Parameters<typeof tiles>[0] {
  const facts = images.map(imageFacts);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const proven = images.filter(({ document }) => document.status === 'proven').length;
  const denials = sum(facts.map((each) => each.denials ?? 0));
  const misses = sum(facts.map((each) => each.misses));
  const all = images.length + failures.length;
  const allowed = median(facts.map((each) => each.allowed));
  const fewer = median(facts.map((each) => each.fewer));
  return [
    {
      label: 'Proven',
      value: `${proven} of ${all}`,
      note: 'test passed, nothing denied',
      tone: proven === all ? 'good' : 'bad',
    },
    { label: 'Calls allowed', value: allowed ?? '–', note: 'median of the images' },
    {
      label: "Less than Docker's default",
      value: fewer === undefined ? '–' : percent(fewer),
      note: 'median of the images',
    },
    { label: 'Static misses', value: misses, note: 'none is the aim', tone: misses === 0 ? 'good' : 'bad' },
    {
      label: 'Denied in proofs',
      value: denials,
      note: 'none is the promise',
      tone: denials === 0 ? 'good' : 'bad',
    },
  ];
}

function imageTable(
  images: readonly ReportImage[],
  comparison: RunComparison | undefined,
  fileNames: readonly string[],
): Markup {
  const compared = new Map(comparison?.images.map((image) => [image.name, image]));
  const options = (values: readonly (string | undefined)[]) =>
    [...new Set(values.map((value) => value ?? 'none'))].sort().map((value) => [value, value] as const);
  return html`${filterBar('image-table', 'name or category', counted(images.length, 'image'), [
    { key: 'category', label: 'Category', options: options(images.map(({ category }) => category)) },
    { key: 'status', label: 'Proof', options: options(images.map(({ document }) => document.status)) },
    ...(comparison === undefined
      ? []
      : [
          {
            key: 'language',
            label: 'Language',
            options: options(images.map(({ name }) => compared.get(name)?.language)),
          },
        ]),
  ])}
${table(
  'Images and their profiles',
  sortHeads(columns.filter(([name]) => comparison !== undefined || !ofComparison.has(name))),
  images.map((image, index) =>
    imageRow(
      image,
      comparison === undefined ? undefined : { image: compared.get(image.name) },
      fileNames[index] ?? '',
    ),
  ),
  html` id="image-table" class="sortable" data-noun="image"`,
)}`;
}

/** @param compared absent when the run has not compared; without an image when this one was not */
function imageRow(
  image: ReportImage,
  compared: { readonly image: ComparedImage | undefined } | undefined,
  fileName: string,
): Markup {
  const { document, name, official, category = 'none' } = image;
  const facts = imageFacts(image);
  const language = compared?.image?.language ?? 'none';
  const confine = lineOf(compared?.image, 'confine')?.allowed.confine.allowed;
  const fewer = reductionOf(compared?.image, 'confine');
  const number = (value: number, shown: string | number = value, tone = '') =>
    html`<td class="number ${tone}" data-value="${value}">${shown}</td>`;
  const none = (text: string) =>
    html`<td class="number" data-value="-1"><span class="quiet">${text}</span></td>`;
  return html`<tr data-status="${document.status}" data-category="${category}" data-language="${language}" data-text="${[name, official, category, language].join(' ').toLowerCase()}">
<th scope="row" data-value="${name}"><a href="images/${encodeURIComponent(fileName)}.html">${name}</a>${official !== undefined && html` <span class="quiet">${official}</span>`}</th>
<td>${category}</td>${compared !== undefined && html`<td>${language}</td>`}
<td data-value="${document.status}">${statusBadge(document.status)}</td>
${number(document.stats.programs)}${number(document.stats.files)}${number(facts.static)}${number(facts.traced)}${number(facts.allowed, facts.allowed, 'strong')}${number(facts.dockerDefault)}${number(facts.fewer, percent(facts.fewer))}
${compared !== undefined && html`${confine === undefined ? none('not compared') : number(confine)}${fewer === undefined ? none('–') : number(fewer, percent(fewer), 'strong')}`}
${number(facts.misses, facts.misses, facts.misses > 0 ? 'bad' : '')}${facts.denials === undefined ? none('no proof') : number(facts.denials, facts.denials, facts.denials > 0 ? 'bad' : '')}${number(facts.seconds, facts.seconds.toFixed(1))}
</tr>
`;
}

function failureList(failures: ReportInput['failures']): Markup {
  return html`<section aria-labelledby="failures"><h2 id="failures">Failed</h2>${table(
    'Images that have no profile',
    heads('Image', 'Code', 'What happened'),
    failures.map(
      ({ name, error }) =>
        html`<tr><th scope="row">${name}</th><td><code>${error.code}</code></td><td>${error.message}${error.hint !== undefined && html`<br><span class="quiet">${error.hint}</span>`}</td></tr>`,
    ),
  )}</section>`;
}

function chartList(charts: readonly Chart[]): Markup {
  return html`<section aria-labelledby="charts-title"><h2 id="charts-title">Charts</h2>
${charts.map(
  ({
    id,
    title,
    description,
    height,
  }) => html`<figure class="card"><figcaption><h3>${title}</h3><p class="quiet">${description}</p></figcaption>
<div class="canvas-box" data-height="${height}"><canvas data-chart="${id}" role="img" aria-label="${title}. ${description}"></canvas></div>
<noscript><img src="charts/${id}.png" alt="${title}. ${description}"></noscript>
<p class="quiet"><a href="charts/${id}.png" download>PNG</a></p></figure>`,
)}</section>`;
}

function runFacts({ dataset, toolVersion, analyzerVersion, engine }: ReportInput['run']): Markup {
  const facts: readonly (readonly [string, string])[] = [
    ['Dataset', dataset],
    ['Prof-gen', toolVersion],
    ['Analyser', analyzerVersion],
    ...(engine === undefined
      ? [['Engine', 'none: static analysis alone'] as const]
      : ([
          ['Engine', `${engine.engine} ${engine.engineVersion}`],
          ['Runtime', `${engine.runtime} ${engine.runtimeVersion}`],
          ['Kernel', engine.kernel],
          ['Control groups', engine.cgroupVersion],
        ] as const)),
  ];
  return html`<dl class="facts">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}
