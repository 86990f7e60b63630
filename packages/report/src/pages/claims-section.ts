import {
  type Claims,
  comparisonUniverses,
  type ComparisonUniverse,
  type CountedCalls,
  type HeldBack,
  type KeptReason,
  type RunComparison,
} from '@prof-gen/core';
import { html, type Markup } from '../html/html.js';
import { heads, table } from '../html/parts.js';

const universeTexts: Readonly<Record<ComparisonUniverse, string>> = {
  confine: 'calls that Confine counts',
  table: 'the whole table',
  docker: "after Docker's default",
};

/** The paper's claims, ours, and what keeps the reduction back where it is not what is aimed at. */
export function claimsSection(claims: Claims): Markup {
  const { reductionMean, reductionMedian, reductionInterval, heldBack } = claims;
  return html`<section aria-labelledby="claims"><h2 id="claims">Claims</h2>
${table(
  "The paper's claims, and ours",
  heads('Claim', 'Paper', 'Ours', 'Command'),
  claims.claims.map(
    ({ claim, paper, ours, command }) =>
      html`<tr><th scope="row">${claim}</th><td>${paper}</td><td class="strong">${ours}</td><td><code>${command}</code></td></tr>`,
  ),
)}
<p class="quiet">All of it: <code>${claims.command}</code>. Figures: <a href="claims.json" download>claims.json</a>. The paper's figure is of its own 120 images and against the original Confine.</p>
${
  reductionMean === undefined || reductionMedian === undefined || reductionInterval === undefined
    ? html`<p class="notice">This run has not compared its images with other methods, so that there is no reduction to show. <code>prof-gen run --compare</code> compares.</p>`
    : table(
        "Fewer calls than Confine's method allows",
        heads('Counted in', 'Mean', '95% interval of the mean', 'Median'),
        comparisonUniverses.map((universe) => {
          const { from, to } = reductionInterval[universe];
          return html`<tr><th scope="row">${universeTexts[universe]}</th><td>${reductionMean[universe].toFixed(1)}%</td><td>${from.toFixed(1)}% to ${to.toFixed(1)}%</td><td>${reductionMedian[universe].toFixed(1)}%</td></tr>`;
        }),
      )
}
${heldBack !== undefined && heldBackPart(heldBack)}</section>`;
}

const reasonTexts: Readonly<Record<KeptReason, string>> = {
  observed: 'seen while the container was observed',
  tested: 'found in code, and seen in the application-specific test',
  runtime: 'made by the container runtime',
  code: 'found in code, and never seen',
  other: 'the kernel, a user, or taught by a proof',
};

/** Calls that are named; claims.json has all. */
const most = 15;

function heldBackPart(held: HeldBack): Markup {
  const { target, reached, images, ours, theirs, reasons, undeniable, dockerDefault } = held;
  const each = (count: number) => (images === 0 ? '–' : (count / images).toFixed(1));
  const names = ({ calls }: CountedCalls) =>
    `${calls
      .slice(0, most)
      .map(({ name, images: some }) => `${name} ${some}`)
      .join(', ')}${calls.length > most ? `, and ${calls.length - most} more` : ''}`;
  const row = (why: string, whose: string, counted: CountedCalls) =>
    html`<tr><th scope="row">${why}</th><td>${whose}</td><td class="number">${counted.count}</td><td class="number">${each(counted.count)}</td><td>${names(counted)}</td></tr>`;
  return html`<h3>${reached ? `Why calls stay allowed (${target}% is reached)` : `What keeps it back from ${target}%`}</h3>
<p>Of Confine's calls, Prof-gen allows ${each(ours)} an image and Confine's method ${each(theirs)}. Each allowed call counts once an image, by the first reason that fits; after each name stands the number of images.</p>
${table(
  'Calls that stay allowed, by cause',
  heads('Cause', 'Allowed by', 'Calls', 'An image', 'Most frequent'),
  [
    ...reasons.flatMap(({ reason, both, oursAlone }) => [
      ...(both.count > 0 ? [row(reasonTexts[reason], 'both', both)] : []),
      ...(oursAlone.count > 0 ? [row(reasonTexts[reason], 'ours alone', oursAlone)] : []),
    ]),
    html`<tr><th scope="row">in Confine's count, and denied by none of its published profiles</th><td>both</td><td class="number">${undeniable * images}</td><td class="number">${undeniable}</td><td></td></tr>`,
    ...(dockerDefault.ours.count > 0
      ? [row("needed, and denied by Docker's default", 'neither', dockerDefault.ours)]
      : []),
    ...(dockerDefault.theirs.count > 0
      ? [row("denied by Docker's default", "Confine's method alone", dockerDefault.theirs)]
      : []),
  ],
)}`;
}

/** Each line over all images. */
export function linesSection(comparison: RunComparison | undefined): Markup {
  const title = html`<h2 id="lines">Other methods on the same images</h2>`;
  if (comparison === undefined) {
    return html`<section aria-labelledby="lines">${title}<p>This run has not compared its images with other methods. <code>prof-gen run --compare</code> does.</p></section>`;
  }
  const { groups, universes, cves, without } = comparison;
  const broken = ({ broken: some, images, calls }: { broken: number; images: number; calls: number }) =>
    images === 0 ? '–' : `${some} of ${images} (${calls} calls)`;
  return html`<section aria-labelledby="lines">${title}
${table(
  'Each method over all images, means',
  heads(
    'Line',
    'Images',
    `Of Confine's ${universes.confine}`,
    `Of the table's ${universes.table}`,
    "After Docker's",
    `CVEs closed of ${cves}`,
    'Dangerous calls',
    'Would break, traced',
    'Would break, tested',
    'Prof-gen allows fewer',
  ),
  (groups[0]?.lines ?? []).map(
    ({ line, images, allowed, cves: closed, dangerous, trace, proof, reduction }) =>
      html`<tr><th scope="row">${line}</th><td class="number">${images}</td><td class="number">${allowed.confine.mean.toFixed(1)}</td><td class="number">${allowed.table.mean.toFixed(1)}</td><td class="number">${allowed.docker.mean.toFixed(1)}</td><td class="number">${closed.mean.toFixed(1)}</td><td class="number">${dangerous.mean.toFixed(1)}</td><td>${broken(trace)}</td><td>${broken(proof)}</td><td class="number">${line === 'prof-gen' ? '–' : `${(reduction['prof-gen'].confine.mean * 100).toFixed(1)}%`}</td></tr>`,
  ),
)}
<p class="quiet">All of it as <a href="comparison.csv" download>CSV</a>, <a href="comparison.md" download>Markdown</a> or <a href="comparison.tex" download>LaTeX</a>.</p>
${
  without.length > 0 &&
  table(
    'Images that were not compared',
    heads('Image', 'Why'),
    without.map(({ name, reason }) => html`<tr><th scope="row">${name}</th><td>${reason}</td></tr>`),
  )
}</section>`;
}
