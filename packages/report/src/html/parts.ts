import type { ArgumentCondition, ProfileStatus } from '@prof-gen/core';
import { html, type Markup } from './html.js';

const statusTexts: Readonly<Record<ProfileStatus, readonly [mark: string, text: string, meaning: string]>> = {
  proven: ['✓', 'proven', 'its test passed under the profile and no call was denied'],
  failed: ['✗', 'failed', 'its test failed under the profile, or a call was denied'],
  observed: ['○', 'observed', 'static and traced; not proven by a test'],
  incomplete: ['?', 'incomplete', 'a reachable call site is undecided and no proof has settled it'],
  static: ['○', 'static', 'from static analysis alone'],
};

/** A status by sign and word, so that colour is never the only difference. */
export function statusBadge(status: ProfileStatus): Markup {
  const [mark, text, meaning] = statusTexts[status];
  return html`<span class="badge ${status}" title="${meaning}"><span aria-hidden="true">${mark}</span> ${text}</span>`;
}

export interface Tile {
  readonly label: string;
  readonly value: string | number;
  readonly note?: string;
  readonly tone?: 'good' | 'bad';
}

export function tiles(list: readonly Tile[]): Markup {
  return html`<dl class="tiles">${list.map(
    ({ label, value, note, tone }) =>
      html`<div class="tile ${tone ?? ''}"><dt>${label}</dt><dd>${value}</dd>${note !== undefined && html`<dd class="note">${note}</dd>`}</div>`,
  )}</dl>`;
}

/** A table that scrolls in its own box on a narrow screen, by keyboard as well. */
export function table(
  caption: string,
  head: Markup,
  rows: readonly Markup[],
  attributes: Markup = html``,
): Markup {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table${attributes}>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>`;
}

export function heads(...names: readonly string[]): Markup {
  return html`${names.map((name) => html`<th scope="col">${name}</th>`)}`;
}

const operators: Readonly<Record<ArgumentCondition['op'], string>> = {
  eq: '=',
  ne: '≠',
  lt: '<',
  le: '≤',
  ge: '≥',
  gt: '>',
  'masked-eq': '=',
};

/** Conditions as one reads them: `arg0 = 1 and arg1 & 255 = 2`. */
export function conditionText(condition: readonly ArgumentCondition[]): string {
  return condition
    .map(({ index, op, value, mask }) => {
      const left = mask === undefined ? `arg${index}` : `arg${index} & ${mask}`;
      return `${left} ${operators[op]} ${value}`;
    })
    .join(' and ');
}

/** `12 calls`, `1 call` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** A part as a whole percentage. */
export function percent(part: number): string {
  return `${Math.round(part * 100)}%`;
}

/** Heads whose buttons sort the table below them. */
export function sortHeads(
  columns: readonly (readonly [name: string, kind: 'text' | 'number', title: string])[],
): Markup {
  return html`${columns.map(
    ([name, kind, title]) =>
      html`<th scope="col" class="${kind}" data-kind="${kind}" title="${title}"><button type="button" class="sort">${name}</button></th>`,
  )}`;
}

/** What a table's rows are chosen by: words in `data-text`, and values of other `data-KEY`. */
export function filterBar(
  tableId: string,
  placeholder: string,
  count: string,
  filters: readonly {
    readonly key: string;
    readonly label: string;
    readonly options: readonly (readonly [value: string, text: string])[];
  }[],
): Markup {
  return html`<div class="filters" data-filters="${tableId}"><label>Filter <input type="search" data-filter="text" placeholder="${placeholder}" autocomplete="off"></label>
${filters.map(
  ({ key, label, options }) =>
    html`<label>${label} <select data-filter="${key}"><option value="">any</option>${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></label>\n`,
)}<output data-count aria-live="polite">${count}</output></div>`;
}
