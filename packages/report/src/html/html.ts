import { printable } from '@prof-gen/core';

/** Markup that is safe to insert: only `html` makes it. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | false | undefined | readonly Part[];

/**
 * A tagged template in which every value is shown as text: what comes from an image can neither become markup
 * nor leave an attribute (attributes are always quoted). Lists are joined, `false` and `undefined` vanish.
 */
export function html(texts: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return { markup: texts.map((text, index) => text + shown(values[index])).join('') };
}

function shown(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(shown).join('');
  return escaped(printable(String(part), 4000));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => entities[c] ?? '');
}

/**
 * JSON for a `<script type="application/json">` block: `<` is escaped, so that neither an end tag nor a comment
 * can begin in it (HTML standard, restrictions for contents of script elements).
 */
export function jsonBlock(id: string, value: unknown): Markup {
  const text = JSON.stringify(value).replaceAll('<', '\\u003c');
  return { markup: `<script type="application/json" id="${escaped(id)}">${text}</script>` };
}
