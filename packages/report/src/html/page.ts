import { html, type Markup } from './html.js';

export interface PageOptions {
  readonly title: string;
  /** Way from the page to the report's root: '' or '../'. */
  readonly root: string;
  /** Shown above the title. */
  readonly crumbs?: Markup;
  readonly content: Markup;
  /** Scripts of `assets/`, in order. */
  readonly scripts: readonly string[];
}

/**
 * Nothing but the report's own files is ever loaded, and nothing in a page is executed. `file:` stands beside
 * 'self' because a page opened from a disk has an opaque origin.
 */
const policy =
  "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file: data:; base-uri 'none'; form-action 'none'";

export function page({ title, root, crumbs, content, scripts }: PageOptions): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}assets/report.css">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="bar"><div class="wide">${crumbs ?? html`<span class="brand">Prof-gen</span>`}</div></header>
<main id="content" class="wide" tabindex="-1">
${content}
</main>
<footer class="wide quiet">Written by Prof-gen. This page works without a network.</footer>
${scripts.map((script) => html`<script src="${root}assets/${script}"></script>\n`)}</body>
</html>
`.markup;
}

/** The way from the first page to this one. */
export function breadcrumb(way: readonly (readonly [href: string, name: string])[], here: string): Markup {
  return html`<nav aria-label="Breadcrumb">${way.map(
    ([href, name], index) =>
      html`<a${index === 0 && html` class="brand"`} href="${href}">${name}</a> <span aria-hidden="true">/</span> `,
  )}<span aria-current="page">${here}</span></nav>`;
}
