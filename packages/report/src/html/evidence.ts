import type { Evidence } from '@prof-gen/core';
import type { Reason } from '../image-facts.js';
import { html, type Markup } from './html.js';

/** What speaks for a call: short, and as one chooses it in a filter. */
export const reasonTexts: Readonly<Record<Reason, readonly [short: string, filter: string]>> = {
  both: ['code + trace', 'in code and traced'],
  static: ['code', 'in code only'],
  traced: ['trace', 'traced only'],
  other: ['other', 'runtime, kernel, user'],
};

/** One reason of each kind, and how many more there are: the document has all. */
export function evidenceList(evidence: readonly Evidence[]): Markup {
  const kinds = new Map<string, Evidence>();
  for (const each of evidence) if (!kinds.has(each.kind)) kinds.set(each.kind, each);
  const shown = [...kinds.values()];
  if (shown.length === 0) return html`none kept`;
  const more = evidence.length - shown.length;
  return html`${shown.map((each, index) => html`${index > 0 && html`<br>`}${evidenceLine(each)}`)}${more > 0 && ` (+${more})`}`;
}

/** A reason in words. */
function evidenceLine(evidence: Evidence): Markup {
  switch (evidence.kind) {
    case 'static': {
      const { program, object, site } = evidence;
      return html`code: ${lastPart(program)}${object !== program && ` → ${lastPart(object)}`} → ${evidence.function} @ ${site}`;
    }
    case 'traced':
      return html`trace: ${seenProgram(evidence)}, ${evidence.source === undefined ? `in ${evidence.phase}` : `in ${evidence.source.file} (${evidence.source.tool})`}`;
    case 'learned':
      return html`learned: ${seenProgram(evidence)}, denied in ${evidence.phase}`;
    case 'runtime-base':
      return html`runtime: ${evidence.runtime} ${evidence.version}`;
    case 'kernel':
      return html`kernel: ${evidence.reason}`;
    case 'user':
      return html`user: ${evidence.reason}`;
  }
}

/** The task's name where it is not the program's own. */
function seenProgram({ program, process }: { readonly program: string; readonly process: string }): string {
  const name = lastPart(program);
  return name.startsWith(process) ? name : `${name} as ${process}`;
}

/** A path by its last part, the whole of it on hover. */
export function path(text: string): Markup {
  return html`<code title="${text}">${lastPart(text)}</code>`;
}

export function lastPart(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1) || text;
}
