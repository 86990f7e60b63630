import type { CallFacts } from '../call-facts.js';
import { html } from '../html/html.js';
import { breadcrumb, page } from '../html/page.js';
import { counted, filterBar, percent, sortHeads, table } from '../html/parts.js';
import type { ReportInput } from '../report-input.js';

/** All calls of the table, with how often each is allowed. */
export function callsPage(calls: readonly CallFacts[], { images }: ReportInput): string {
  const lines = calls[0]?.lines.filter(({ line }) => line !== 'prof-gen').map(({ line }) => line) ?? [];
  const columns = [
    ['Call', 'text', 'Name in the kernel’s table'],
    ['Images', 'number', 'Images whose profile allows it'],
    ['Share', 'number', 'Part of the images'],
    ['Traced', 'number', 'Images in which it was seen'],
    ...lines.map((line) => [line, 'number', `Images in which the line ${line} allows it`] as const),
  ] as const;
  const use = ({ allowed }: CallFacts) =>
    allowed.length === 0 ? 'none' : allowed.length === images.length ? 'all' : 'some';
  const content = html`<div class="hero"><h1>System calls</h1>
<p class="lead">${calls.filter((call) => use(call) === 'all').length} of ${calls.length} are allowed in every image, ${calls.filter((call) => use(call) === 'none').length} in none.</p></div>
${filterBar('calls-table', 'call', counted(calls.length, 'call'), [
  {
    key: 'use',
    label: 'Allowed in',
    options: [
      ['all', 'all images'],
      ['some', 'some images'],
      ['none', 'no image'],
    ],
  },
  {
    key: 'danger',
    label: 'Dangerous',
    options: [
      ['yes', 'yes'],
      ['no', 'no'],
    ],
  },
])}
${table(
  'System calls and how many images allow them',
  sortHeads(columns),
  calls.map(
    (call) =>
      html`<tr data-text="${call.name}" data-use="${use(call)}" data-danger="${call.dangerous === undefined ? 'no' : 'yes'}"><th scope="row"><a href="${call.name}.html">${call.name}</a>${call.dangerous !== undefined && html` <span class="quiet">dangerous</span>`}<td class="number">${call.allowed.length}<td class="number" data-value="${call.allowed.length}">${images.length === 0 ? '–' : percent(call.allowed.length / images.length)}<td class="number">${call.traced}${call.lines.filter(({ line }) => line !== 'prof-gen').map(({ images: own }) => html`<td class="number">${own.size}`)}\n`,
  ),
  html` id="calls-table" class="sortable" data-noun="call"`,
)}`;
  return page({
    title: 'System calls',
    root: '../',
    crumbs: breadcrumb([['../index.html', 'Prof-gen']], 'Calls'),
    content,
    scripts: ['report.js'],
  });
}
