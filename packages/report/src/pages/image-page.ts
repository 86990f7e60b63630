import {
  type ComparedImage,
  compareStrings,
  type Denial,
  type ImageComparison,
  type PhaseResult,
  type ProfileDocument,
} from '@prof-gen/core';
import { html, type Markup } from '../html/html.js';
import { breadcrumb, page } from '../html/page.js';
import {
  conditionText,
  counted,
  filterBar,
  heads,
  percent,
  statusBadge,
  table,
  tiles,
} from '../html/parts.js';
import { evidenceList, path, reasonTexts } from '../html/evidence.js';
import { imageFacts, reasonOf } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';

type Section = readonly [id: string, title: string, content: Markup];

/** All that is known of one image. */
export function imagePage(image: ReportImage, compared: ComparedImage | undefined, fileName: string): string {
  const { document, name } = image;
  const sections: readonly Section[] = [
    ...(document.staticMisses.length > 0 ? [['misses', 'Static misses', misses(document)] as const] : []),
    ['calls', 'Allowed calls', allowedCalls(document)],
    ...(document.proof === undefined ? [] : [['proof', 'Proof', proof(document.proof)] as const]),
    ['programs', 'Programs', programs(document)],
    ...(document.unresolved.length + document.undecided.length > 0
      ? [['open', 'Not decided', notDecided(document)] as const]
      : []),
    ['denied', 'Denied calls', deniedCalls(document)],
    ...(document.observation === undefined
      ? []
      : [['observed', 'Observation', observation(document.observation)] as const]),
    ...(image.measures === undefined && compared === undefined
      ? []
      : [['compared', 'Comparison', comparison(image, compared)] as const]),
    ['time', 'Time', time(image)],
  ];
  const file = encodeURIComponent(fileName);
  return page({
    title: `${name}: seccomp profile`,
    root: '../',
    crumbs: breadcrumb([['../index.html', 'Prof-gen']], name),
    scripts: ['report.js'],
    content: html`<div class="hero"><h1>${name} ${statusBadge(document.status)}</h1>
<p class="command"><code>${document.command.map((word, index) => html`${index > 0 && ' '}<span>${word}</span>`)}</code></p>
<p class="actions"><a class="button" href="../profiles/${file}.docker.json" download>Docker profile</a> <a class="button plain" href="../profiles/${file}.json.gz" download>Document with all evidence (gzip)</a></p></div>
${tiles(imageTiles(image))}
<nav class="toc" aria-label="On this page">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${sections.map(([id, title, content]) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`)}
<section aria-labelledby="image"><h2 id="image">Image</h2><dl class="facts">
<div><dt>Reference</dt><dd>${document.image.reference}</dd></div>
<div><dt>Digest</dt><dd><code>${document.image.digest}</code></dd></div>
<div><dt>Platform</dt><dd>${document.image.platform}</dd></div>
<div><dt>Analyser</dt><dd>${document.tool.analyzer}</dd></div></dl></section>`,
  });
}

function imageTiles(image: ReportImage): Parameters<typeof tiles>[0] {
  const facts = imageFacts(image);
  const { proof, stats } = image.document;
  return [
    { label: 'Allowed', value: facts.allowed, note: `of ${stats.table} in the table` },
    {
      label: "Less than Docker's default",
      value: percent(facts.fewer),
      note: `which allows ${facts.dockerDefault}`,
    },
    {
      label: 'Static / traced',
      value: `${facts.static} / ${facts.traced}`,
      note: `${counted(stats.programs, 'program')}, ${counted(stats.files, 'file')}`,
    },
    { label: 'Static misses', value: facts.misses, tone: facts.misses === 0 ? 'good' : 'bad' },
    proof === undefined
      ? { label: 'Proof', value: 'none', note: 'no test was run' }
      : {
          label: 'Proof',
          value: proof.status,
          note: `${counted(facts.denials ?? 0, 'call')} denied`,
          tone: proof.status === 'passed' ? 'good' : 'bad',
        },
  ];
}

function allowedCalls({ syscalls }: ProfileDocument): Markup {
  const rows = syscalls.map(({ name, when, evidence }) => {
    const reason = reasonOf(evidence);
    // End tags that HTML does not need are left out: a report has some twenty thousand of these rows.
    return html`<tr data-status="${reason}"><th><a href="../calls/${name}.html">${name}</a><td>${reasonTexts[reason][0]}<td>${when?.map((each) => html`<code class="condition">${conditionText(each)}</code> `)}<td>${evidenceList(evidence)}
`;
  });
  const reasons = Object.entries(reasonTexts);
  return html`${filterBar('call-table', 'call', counted(syscalls.length, 'call'), [
    { key: 'status', label: 'Found', options: reasons.map(([value, [, text]]) => [value, text] as const) },
  ])}
${table('Calls that the profile allows, with the reasons', heads('Call', 'Found in', 'Only with', 'Evidence: one of each kind'), rows, html` id="call-table" class="calls" data-noun="call"`)}`;
}

function misses({ staticMisses }: ProfileDocument): Markup {
  return html`<p>These calls were seen, or denied in the proof, and static analysis had not found them in the program.</p>${table(
    'Static misses',
    heads('Call', 'Program', 'Process', 'Phase'),
    staticMisses.map(
      (miss) =>
        html`<tr><th scope="row"><code>${miss.name}</code></th><td><code>${miss.program}</code></td><td>${miss.process}</td><td>${miss.phase}</td></tr>`,
    ),
  )}`;
}

function originText(origin: ProfileDocument['programs'][number]['origin']): string {
  switch (origin.kind) {
    case 'run-command':
      return origin.chain.length > 0 ? `run command: ${origin.chain.join(' → ')}` : 'run command';
    case 'healthcheck':
      return origin.chain.length > 0 ? `health check: ${origin.chain.join(' → ')}` : 'health check';
    case 'script':
      return `${origin.script}, line ${origin.line}`;
    case 'started':
      return `started by ${origin.program}: ${origin.reason}`;
    case 'traced':
      return `seen in ${origin.phase}`;
  }
}

function programs({ programs: list }: ProfileDocument): Markup {
  return html`${list.map(({ path: file, calledAs, sha256, origin, objects, syscalls, traced }) => {
    const inTrace = new Set(traced);
    const inCode = new Set(syscalls);
    const names = [...new Set([...syscalls, ...traced])].sort();
    return html`<details class="card program"><summary><code>${file}</code>${calledAs.length > 0 && html` <span class="quiet">called as ${calledAs.join(', ')}</span>`} <span class="quiet">${originText(origin)}</span>
<span class="counts">${syscalls.length} in code${traced.length > 0 && html`, ${traced.length} traced`}</span></summary>
<p class="quiet">SHA-256 <code>${sha256}</code></p>
${nameGroups([
  ['In code and traced', names.filter((name) => inCode.has(name) && inTrace.has(name))],
  ['Traced, not in code', names.filter((name) => !inCode.has(name))],
  ['In code only', names.filter((name) => !inTrace.has(name))],
])}
${
  objects.length > 0 &&
  table(
    `Objects of ${file}`,
    heads('Object', 'Role', 'SHA-256'),
    objects.map(
      (object) =>
        html`<tr><th scope="row">${object.path}</th><td>${object.role}${object.reason !== undefined && html` <span class="quiet">${object.reason}</span>`}</td><td>${object.sha256.slice(0, 12)}</td></tr>`,
    ),
  )
}</details>`;
  })}`;
}

function notDecided({ unresolved, undecided }: ProfileDocument): Markup {
  return html`<p>What reading the files alone could not settle. A trace or a proof may have.</p>
${
  unresolved.length > 0 &&
  table(
    'Reachable instructions whose system-call number is not known',
    heads('Program', 'Object', 'Function', 'Site', 'Why'),
    unresolved.map(
      (each) =>
        html`<tr><td>${path(each.program)}</td><td>${path(each.object)}</td><td><code>${each.function}</code></td><td><code>${each.site}</code></td><td>${each.reason}</td></tr>`,
    ),
  )
}
${
  undecided.length > 0 &&
  table(
    'Other questions',
    heads('Kind', 'Where', 'What', 'Why'),
    undecided.map(
      (each) =>
        html`<tr><td>${each.kind}</td><td><code>${each.where}${each.line !== undefined && `:${each.line}`}</code></td><td><code>${each.what}</code></td><td>${each.reason}</td></tr>`,
    ),
  )
}`;
}

function deniedCalls({ denied }: ProfileDocument): Markup {
  const needed = denied.filter(({ reason }) => reason !== 'not-needed');
  const rest = denied.filter(({ reason }) => reason === 'not-needed');
  const texts = {
    'docker-default': "Docker's default denies it to this container anyway",
    fallback: 'answered ENOSYS: the libc then uses an older call',
    'not-needed': 'nothing shows a need for it',
  } as const;
  return html`${
    needed.length > 0 &&
    table(
      'Calls that are denied although something speaks for them',
      heads('Call', 'Answer', 'Why', 'Evidence'),
      needed.map(
        ({ name, errno, reason, evidence }) =>
          html`<tr><th scope="row"><code>${name}</code></th><td>${errno}</td><td>${texts[reason]}</td><td>${evidenceList(evidence)}</td></tr>`,
      ),
    )
  }
<p>${counted(rest.length, 'further call')} that nothing shows a need for: all of the table that stand neither here nor above.</p>`;
}

function phaseList(phases: readonly PhaseResult[]): Markup {
  return html`<ol class="phases">${phases.map(
    ({ name, steps }) =>
      html`<li><h3>${name}</h3><ul>${steps.map(
        (step) =>
          html`<li class="${step.passed ? 'good' : 'bad'}"><span aria-hidden="true">${step.passed ? '✓' : '✗'}</span> <span class="visually-hidden">${step.passed ? 'passed' : 'failed'}:</span> ${step.name}${step.detail !== '' && html`<pre>${step.detail}</pre>`}</li>`,
      )}</ul></li>`,
  )}</ol>`;
}

function denialTable(caption: string, denials: readonly Denial[]): Markup {
  return table(
    caption,
    heads('Call', 'Program', 'Process', 'Phase', 'Answer', 'Times', 'Meant'),
    denials.map(
      (each) =>
        html`<tr class="${each.expected ? '' : 'bad-row'}"><th scope="row"><code>${each.name}</code></th><td><code>${each.program}</code></td><td>${each.process}</td><td>${each.phase}</td><td>${each.errno}</td><td class="number">${each.count}</td><td>${each.expected ? 'yes' : 'no'}</td></tr>`,
    ),
  );
}

function proof({ status, workload, phases, denials }: NonNullable<ProfileDocument['proof']>): Markup {
  return html`<p>The workload <code>${workload}</code> ${status === 'passed' ? 'passed' : html`<strong class="bad">failed</strong>`} under the profile.</p>
${denials.length > 0 ? denialTable('Calls that were refused during the proof', denials) : html`<p>No call was refused.</p>`}${phaseList(phases)}`;
}

function observation({
  method,
  engine,
  ioUring,
  phases,
  denials,
}: NonNullable<ProfileDocument['observation']>): Markup {
  return html`<p>Seen by ${method} on ${engine.engine} ${engine.engineVersion}, ${engine.runtime} ${engine.runtimeVersion}, kernel ${engine.kernel}.</p>
${ioUring && html`<p class="notice">The container uses io_uring. Its operations pass by both the tracer and seccomp.</p>`}
${denials.length > 0 && denialTable("Calls that Docker's default refused meanwhile", denials)}${phaseList(phases)}`;
}

function comparison({ measures, comparison: own }: ReportImage, compared: ComparedImage | undefined): Markup {
  return html`${measures !== undefined && measured(measures)}${
    compared === undefined
      ? html`<p class="notice">This run has not compared the image with other methods. <code>prof-gen run --compare</code> does.</p>`
      : html`<h3>Other methods on the same files and trace</h3>${lineTable(compared)}${own !== undefined && differences(own)}`
  }`;
}

function lineTable({ lines, published }: ComparedImage): Markup {
  const calls = (list: readonly { readonly name: string }[] | undefined) =>
    list === undefined
      ? '–'
      : [...new Set(list.map(({ name }) => name))].sort(compareStrings).join(' ') || 'none';
  return html`${table(
    'What each method allows, and what it would break',
    heads(
      'Line',
      "Of Confine's calls",
      'Of the table',
      "After Docker's",
      'CVEs closed',
      'Dangerous',
      'Denied though traced',
      'Denied though tested',
    ),
    lines.map(
      (each) =>
        html`<tr><th scope="row">${each.line}</th><td class="number">${each.allowed.confine.allowed}</td><td class="number">${each.allowed.table.allowed}</td><td class="number">${each.allowed.docker.allowed}</td><td class="number">${each.cves.length}</td><td>${each.dangerous.join(' ') || 'none'}</td><td>${calls(each.missesTrace)}</td><td>${calls(each.missesProof)}</td></tr>`,
    ),
  )}${published !== undefined && html`<p class="quiet">Confine published ${published.allowed} of its own calls for an older image of this name.</p>`}`;
}

function differences({ lines }: ImageComparison): Markup {
  const allowed = (name: string) => new Set(lines.find(({ line }) => line === name)?.allowed);
  const [ours, theirs] = [allowed('prof-gen'), allowed('confine')];
  return nameGroups([
    ["Allowed by Confine's method, denied by ours", [...theirs].filter((name) => !ours.has(name))],
    ["Allowed by ours, denied by Confine's method", [...ours].filter((name) => !theirs.has(name))],
  ]);
}

/** Lists of calls under a word each; empty ones are left out. */
function nameGroups(groups: readonly (readonly [title: string, names: readonly string[]])[]): Markup {
  return html`${groups
    .filter(([, names]) => names.length > 0)
    .map(
      ([title, names]) => html`<p class="calls-of"><b>${title} (${names.length}):</b> ${names.join(' ')}</p>`,
    )}`;
}

function measured({
  table: whole,
  docker,
  cves,
  dangerous,
  confinePublished,
}: NonNullable<ReportImage['measures']>): Markup {
  return html`<dl class="facts">
<div><dt>Whole table</dt><dd>${whole.allowed} of ${whole.universe} allowed, ${percent(whole.reduction)} denied</dd></div>
<div><dt>Docker's default</dt><dd>${docker.removed.length} of its calls denied, ${docker.added.length} added</dd></div>
<div><dt>Kernel CVEs out of reach</dt><dd>${cves.neutralised.length} of ${cves.total}; ${cves.byDockerDefault.length} by Docker's default</dd></div>
${confinePublished !== undefined && html`<div><dt>Confine published</dt><dd>${confinePublished.allowed} allowed for ${confinePublished.image}${!confinePublished.validated && ', not validated'}</dd></div>`}</dl>
${
  dangerous.length > 0 &&
  table(
    'Dangerous calls that stay allowed',
    heads('Call', 'Why it is dangerous', 'Arguments'),
    dangerous.map(
      ({ name, why, conditional }) =>
        html`<tr><th scope="row"><a href="../calls/${name}.html">${name}</a></th><td>${why}</td><td>${conditional ? 'only certain ones' : 'any'}</td></tr>`,
    ),
  )
}`;
}

function time({ timings }: ReportImage): Markup {
  return table(
    'Seconds by phase',
    heads('Phase', 'Seconds'),
    Object.entries(timings).map(
      ([phase, milliseconds]) =>
        html`<tr><th scope="row">${phase}</th><td class="number">${(milliseconds / 1000).toFixed(2)}</td></tr>`,
    ),
  );
}
