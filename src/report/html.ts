/**
 * The whole page as one string: no request leaves it (a content policy forbids them), the only script is `client.js` beside
 * this module, allowed by its hash. Everything can be read without the script; with it tables sort and filters work.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EvaluationResults } from '../study/results.ts';
import { csvNames } from './csv.ts';
import { type Content, html, Markup } from './markup.ts';
import { withShortNames } from './names.ts';
import { inventedStamp, type Page, stamp } from './page.ts';
import { caveats, manifests, methodsSection } from './sections/closing.ts';
import { cost } from './sections/cost.ts';
import { fusion, recall } from './sections/curves.ts';
import { dataCards } from './sections/data-card.ts';
import { differences, winsLosses } from './sections/differences.ts';
import { leaderboard, select } from './sections/leaderboard.ts';
import { significance } from './sections/significance.ts';
import { strata } from './sections/strata.ts';
import { summary } from './sections/summary.ts';
import { views } from './sections/views.ts';
import { Standings } from './standings.ts';

const style = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
const script = readFileSync(new URL('./client.js', import.meta.url), 'utf8');
const scriptHash = createHash('sha256').update(script).digest('base64');

/** The page of an evaluation. */
export function renderHtml(evaluation: EvaluationResults): string {
  const results = withShortNames(evaluation);
  const page: Page = { standings: new Standings(results), files: csvNames };
  const queries = winsLosses(page);
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${scriptHash}'; base-uri 'none'; form-action 'none'`;
  const sections: [string, string, Content][] = [
    ['summary', 'Summary', summary(page)],
    ['leaderboard', 'Leaderboard', leaderboard(page)],
    ['significance', 'Pairs', significance(page)],
    ['views', 'Views', views(page)],
    ['differences', 'Queries', differences(page, queries.present)],
    ['recall', 'Recall', recall(page)],
    ['fusion', 'Fusion', fusion(page)],
    ['wins-losses', 'Wins and losses', results.winsLosses.length > 0 && queries.markup],
    ['strata', 'Strata', strata(page)],
    ['cost', 'Cost', cost(page)],
    ['data', 'Data', dataCards(page)],
    ['methods', 'Methods', methodsSection(page)],
    ['caveats', 'Caveats', caveats(page)],
    ['manifests', 'Manifests', manifests(page)],
  ];
  const shown = sections.filter(([, , content]) => content);
  const [first, second, ...rest] = shown;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="patentlab ${results.packageVersion}">
<title>${results.invented && `${inventedStamp} · `}${results.title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}${results.invented && new Markup(`@page{@top-center{content:"${inventedStamp}"}}`)}</style>
</head>
<body>
<p class="statement">${results.relevanceStatement}</p>
${stamp(page)}<header>
<h1>${results.title}</h1>
<p class="meta">${results.created.slice(0, 10)} · patentlab ${results.packageVersion} · <code>${results.command}</code></p>
${results.warnings.length > 0 && html`<ul class="warnings">${results.warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
<nav aria-label="Contents">${shown.map(([id, name]) => html`<a href="#${id}">${name}</a> `)}</nav>
</header>
<main>
${first![2]}${second![2]}${detailFilter(page)}${rest.map(([, , content]) => content)}</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

/** The filter of all sections below the leaderboard; it stays in sight while they scroll. Opens on the best view. */
function detailFilter({ standings }: Page): Content {
  const corpus = standings.corpora[0];
  const top = corpus === undefined ? undefined : standings.bestView(corpus);
  const selects = [
    select('corpus', 'Corpus', [...standings.corpora, ''], corpus),
    select('view', 'View', [...standings.views, ''], top?.view),
    select(
      'metric',
      'Metric',
      [...new Set(standings.results.comparisons.map((table) => table.metric))],
      standings.metric,
    ),
  ].filter(Boolean);
  if (selects.length === 0) return undefined;
  return html`<form class="filter sticky" data-for="panel" hidden aria-label="Filter of the sections below"><span>Below:</span> ${selects}</form>\n`;
}
