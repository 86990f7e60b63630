import { type Evidence, printable } from '@prof-gen/core';
import type { CallFacts } from '../call-facts.js';
import { lastPart, reasonTexts } from '../html/evidence.js';
import { html } from '../html/html.js';
import { breadcrumb, page } from '../html/page.js';
import { counted, heads, table } from '../html/parts.js';
import type { ReportInput } from '../report-input.js';

/** One call: which images need it, why, and which methods allow it. */
export function callPage(call: CallFacts, { images }: ReportInput, fileNames: readonly string[]): string {
  const { name, number, dangerous, allowed, refused, traced, lines } = call;
  const link = (image: number) =>
    html`<a href="../images/${encodeURIComponent(fileNames[image] ?? '')}.html">${images[image]?.name}</a>`;
  const content = html`<div class="hero"><h1><code>${name}</code></h1>
<p class="lead">Call ${number}: allowed in ${allowed.length} of ${counted(images.length, 'image')}, traced in ${traced}.</p>
${dangerous !== undefined && html`<p class="notice">Dangerous: ${dangerous}.</p>`}</div>
${
  allowed.length > 0 &&
  html`<section aria-labelledby="images"><h2 id="images">Images that need it</h2>${table(
    'Images that need the call',
    html`${heads('Found in', 'First reason')}${lines.length > 0 && heads('Lines that deny it')}${heads('Images')}`,
    groupsOf(call).map(
      ({ found, reason, denied, members }) =>
        html`<tr><th scope="row">${found}<td>${reason}${lines.length > 0 && html`<td>${denied}`}<td>${members.map((image) => html`${link(image)} `)}\n`,
    ),
  )}</section>`
}
${
  refused.length > 0 &&
  html`<section aria-labelledby="refused"><h2 id="refused">Denied although something speaks for it</h2>${table(
    'Images that are denied the call',
    heads('Image', 'Why'),
    refused.map(
      ({ image, reason }) =>
        html`<tr><th scope="row">${link(image)}<td>${reason === 'fallback' ? 'the libc uses an older call' : "Docker's default denies it anyway"}\n`,
    ),
  )}</section>`
}
${
  lines.length > 0 &&
  html`<section aria-labelledby="lines"><h2 id="lines">Methods that allow it</h2>${table(
    'In how many images each method allows the call',
    heads('Line', 'Images', 'Not allowed by Prof-gen in'),
    lines.map(({ line, images: own }) => {
      const beyond = [...own].filter((image) => !allowed.some((each) => each.image === image));
      return html`<tr><th scope="row">${line}<td class="number">${own.size}<td>${beyond.length > 8 ? `${beyond.length} images` : beyond.map((image) => images[image]?.name).join(', ')}\n`;
    }),
  )}</section>`
}`;
  return page({
    title: `${name}: system call`,
    root: '../',
    crumbs: breadcrumb(
      [
        ['../index.html', 'Prof-gen'],
        ['index.html', 'Calls'],
      ],
      name,
    ),
    content,
    scripts: ['report.js'],
  });
}

interface Group {
  readonly found: string;
  readonly reason: string;
  readonly denied: string;
  readonly members: number[];
}

/** Images for which the same can be said, the largest group first. */
function groupsOf(call: CallFacts): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { image, reason, conditional, evidence } of call.allowed) {
    const group = {
      found: `${reasonTexts[reason][0]}${conditional ? ', certain arguments' : ''}`,
      reason: why(evidence),
      denied: deniers(call, image),
    };
    const key = JSON.stringify(group);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { ...group, members: [image] });
    else known.members.push(image);
  }
  return [...groups.values()].sort((a, b) => b.members.length - a.members.length);
}

/** The first reason, in few words; the image's page has more. */
function why([first]: readonly Evidence[]): string {
  if (first === undefined) return '';
  const short = (text: string) => printable(lastPart(text), 40);
  switch (first.kind) {
    case 'static':
      return `${short(first.object)} → ${printable(first.function, 60)}`;
    case 'traced':
    case 'learned':
      return `${short(first.program)}, in ${first.phase}`;
    case 'runtime-base':
      return first.runtime;
    default:
      return first.reason;
  }
}

function deniers({ lines }: CallFacts, image: number): string {
  const names = lines.filter(({ images }) => !images.has(image)).map(({ line }) => line);
  return names.join(', ');
}
