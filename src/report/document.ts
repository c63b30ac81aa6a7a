/**
 * The whole page as one string: no request leaves it (a content policy forbids them), the only script is `client.js` beside
 * this module, allowed by its hash. Everything can be read without the script; with it tables sort and filters work.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Content, html, Markup } from './markup.ts';
import { inventedStamp, type Stamped, stamp } from './page.ts';

const style = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
const script = readFileSync(new URL('./client.js', import.meta.url), 'utf8');
const scriptHash = createHash('sha256').update(script).digest('base64');

interface DocumentSpec {
  title: string;
  invented: boolean;
  /** First line: what counts as relevant. */
  relevanceStatement: string;
  created: string;
  packageVersion: string;
  command: string;
  warnings: readonly string[];
  /** Sections, for the line that leads to them. */
  contents: readonly { id: string; name: string }[];
  main: Content;
}

export function documentOf(page: Stamped, spec: DocumentSpec): string {
  const { title, invented, relevanceStatement, created, packageVersion, command, warnings, contents, main } = spec;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${scriptHash}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="patentlab ${packageVersion}">
<title>${invented && `${inventedStamp} · `}${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}${invented && new Markup(`@page{@top-center{content:"${inventedStamp}"}}`)}</style>
</head>
<body>
<p class="statement">${relevanceStatement}</p>
${stamp(page)}<header>
<h1>${title}</h1>
<p class="meta">${created.slice(0, 10)} · patentlab ${packageVersion} · <code>${command}</code></p>
${warnings.length > 0 && html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
<nav aria-label="Contents">${contents.map(({ id, name }) => html`<a href="#${id}">${name}</a> `)}</nav>
</header>
<main>
${main}</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}
