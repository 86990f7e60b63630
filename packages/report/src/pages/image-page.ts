import type { Denial, Evidence, PhaseResult, ProfileDocument } from '@prof-gen/core';
import { html, type Markup } from '../html/html.js';
import { page } from '../html/page.js';
import { conditionText, counted, heads, percent, statusBadge, table, tiles } from '../html/parts.js';
import { imageFacts, type Reason, reasonOf } from '../image-facts.js';
import type { ReportImage } from '../report-input.js';

type Section = readonly [id: string, title: string, content: Markup];

/** All that is known of one image. */
export function imagePage(image: ReportImage, fileName: string): string {
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
    ...(image.measures === undefined
      ? []
      : [['compared', 'Comparison', comparison(image.measures)] as const]),
    ['time', 'Time', time(image)],
  ];
  const file = encodeURIComponent(fileName);
  return page({
    title: `${name}: seccomp profile`,
    root: '../',
    crumbs: html`<nav aria-label="Breadcrumb"><a class="brand" href="../index.html">Prof-gen</a> <span aria-hidden="true">/</span> <span aria-current="page">${name}</span></nav>`,
    scripts: ['report.js'],
    content: html`<div class="hero"><h1>${name} ${statusBadge(document.status)}</h1>
<p class="command"><code>${document.command.map((word, index) => html`${index > 0 && ' '}<span>${word}</span>`)}</code></p>
<p class="actions"><a class="button" href="../profiles/${file}.docker.json" download>Docker profile</a> <a class="button plain" href="../profiles/${file}.json" download>Document with evidence</a></p></div>
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

const reasonTexts: Readonly<Record<Reason, readonly [short: string, filter: string]>> = {
  both: ['code + trace', 'in code and traced'],
  static: ['code', 'in code only'],
  traced: ['trace', 'traced only'],
  other: ['other', 'runtime, kernel, user'],
};

function allowedCalls({ syscalls }: ProfileDocument): Markup {
  const rows = syscalls.map(({ name, when, evidence }) => {
    const reason = reasonOf(evidence);
    return html`<tr data-status="${reason}" data-text="${name.toLowerCase()}"><th scope="row" id="call-${name}"><code>${name}</code></th>
<td><span class="chip ${reason}">${reasonTexts[reason][0]}</span></td>
<td>${when === undefined ? html`<span class="quiet">any</span>` : when.map((each) => html`<code class="condition">${conditionText(each)}</code> `)}</td>
<td>${evidenceList(evidence)}</td></tr>
`;
  });
  const reasons = Object.entries(reasonTexts);
  return html`<div class="filters" data-filters="call-table"><label>Filter <input type="search" data-filter="text" placeholder="call" autocomplete="off"></label>
<label>Found <select data-filter="status"><option value="">anywhere</option>${reasons.map(([value, [, text]]) => html`<option value="${value}">${text}</option>`)}</select></label>
<output data-count aria-live="polite">${counted(syscalls.length, 'call')}</output></div>
${table('Calls that the profile allows, with the reasons', heads('Call', 'Found in', 'Arguments', 'Evidence'), rows, html` id="call-table" class="calls" data-noun="call"`)}`;
}

/** The first reason in words, the others one step away. */
function evidenceList(evidence: readonly Evidence[]): Markup {
  const [first, ...rest] = evidence;
  if (first === undefined) return html`<span class="quiet">none kept</span>`;
  if (rest.length === 0) return evidenceLine(first);
  return html`<details><summary>${evidenceLine(first)} <span class="more">+${rest.length}</span></summary><ul class="evidence">${rest.map((each) => html`<li>${evidenceLine(each)}</li>`)}</ul></details>`;
}

function evidenceLine(evidence: Evidence): Markup {
  switch (evidence.kind) {
    case 'static': {
      const { program, object, site } = evidence;
      const way = object === program ? html`${path(program)}` : html`${path(program)} → ${path(object)}`;
      return html`<span class="kind">code</span> ${way} → <code>${evidence.function}</code> <span class="quiet">@ ${site}</span>`;
    }
    case 'traced':
      return html`<span class="kind">trace</span> ${path(evidence.program)} <span class="quiet">as ${evidence.process}, in ${evidence.phase} (${evidence.source === undefined ? evidence.method : `${evidence.source.tool}, ${evidence.source.file}`})</span>`;
    case 'learned':
      return html`<span class="kind">learned</span> ${path(evidence.program)} <span class="quiet">as ${evidence.process}, denied in ${evidence.phase}</span>`;
    case 'runtime-base':
      return html`<span class="kind">runtime</span> ${evidence.runtime} ${evidence.version}`;
    case 'kernel':
      return html`<span class="kind">kernel</span> ${evidence.reason}`;
    case 'user':
      return html`<span class="kind">user</span> ${evidence.reason}`;
  }
}

/** A path by its last part, the whole of it on hover. */
function path(text: string): Markup {
  return html`<code title="${text}">${text.slice(text.lastIndexOf('/') + 1) || text}</code>`;
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
<ul class="names" aria-label="Calls of ${file}">${names.map((name) => {
      const kind = !inCode.has(name) ? 'miss' : inTrace.has(name) ? 'both' : 'static';
      const text =
        kind === 'miss' ? 'traced, not in code' : kind === 'both' ? 'in code and traced' : 'in code';
      return html`<li class="${kind}" title="${text}">${name}${kind !== 'static' && html`<span class="visually-hidden"> (${text})</span>`}</li>`;
    })}</ul>
${table(
  `Objects of ${file}`,
  heads('Object', 'Role', 'SHA-256'),
  objects.map(
    (object) =>
      html`<tr><th scope="row"><code>${object.path}</code></th><td>${object.role}${object.reason !== undefined && html` <span class="quiet">${object.reason}</span>`}</td><td><code title="${object.sha256}">${object.sha256.slice(0, 12)}</code></td></tr>`,
  ),
)}</details>`;
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
<details class="card"><summary>${counted(rest.length, 'call')} that nothing shows a need for</summary><ul class="names" aria-label="Denied calls">${rest.map(
    ({ name, errno }) => html`<li title="${errno}">${name}</li>`,
  )}</ul></details>`;
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

function comparison({
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
        html`<tr><th scope="row"><code>${name}</code></th><td>${why}</td><td>${conditional ? 'only certain ones' : 'any'}</td></tr>`,
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
