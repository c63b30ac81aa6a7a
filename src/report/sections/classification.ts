/** Classification: what can be said, the leaderboard, every pair. */
import {
  type ClassificationCell,
  type ClassificationComparison,
  type ClassificationResults,
  classifierName,
} from '../../study/classification/results.ts';
import { classificationFiles } from '../classification-csv.ts';
import { classifierSentences } from '../classification-sentences.ts';
import {
  bestBy,
  type ClassifierGroup,
  classifierGroups,
  compared,
  leading,
  measureName,
  metricOf,
  testedMetrics,
} from '../classification-standings.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import { count, interval, plural, score, seconds, signed, verdictGlyph } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, linked, type Page, panel, scroller, section, value } from '../page.ts';
import { unique } from '../standings.ts';
import { shown } from './advice.ts';
import { verdictTitle } from './leaderboard.ts';

export function classificationSummary(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  const groups = classifierGroups(results);
  const body = unique(groups.map(({ corpus }) => corpus)).map((corpus) => {
    const own = groups.filter((group) => group.corpus === corpus);
    const top = own.reduce((a, b) => (metricOf(b.best, leading) > metricOf(a.best, leading) ? b : a));
    const others = own.filter((group) => group !== top);
    return html`<h3>${corpus}, view ${top.view}</h3>
${testedMetrics(results, top).map((metric) => html`<p>${classifierSentences(results, top, metric).map((sentence) => html`${shown(sentence)} `)}</p>\n`)}${
  others.length > 0 &&
  html`<p>Other views, as observed (views were not tested against each other): ${others.map(({ view, best }, at) => html`${at > 0 && '; '}${view}: ${linked(best, classifierName(best))} ${score(metricOf(best, leading))}`)}.</p>`
}`;
  });
  return section(page, {
    id: 'classification',
    title: 'Classification: what can be said',
    lead: results.statement,
    body,
  });
}

/** Columns of the leaderboard after the leading metric; those that a corpus lacks are left out. */
const columns = ['macro-f1', 'micro-f1-tuned', 'macro-f1-tuned', 'sample-f1', 'lrap', 'map', 'p@1', 'ece'];

export function classificationLeaderboard(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  return section(page, {
    id: 'classifiers',
    title: 'Classifiers',
    csv: classificationFiles.leaderboard,
    lead: 'A row is a model read by a probe. Intervals are 95 %. “Tuned”: one threshold a label, chosen by cross-fitting, so that no document had a say in its own. ▲ better, ▼ worse, = equivalent within the margin, ? undecided, against the best of the panel, Holm-corrected over all its pairs. Every value leads to its manifest.',
    body: classifierGroups(results).map((group) => panel(group, board(page, group))),
  });
}

function board({ standings }: Page, group: ClassifierGroup): Content {
  const results = standings.results.classification!;
  const { corpus, view, cells, best } = group;
  const shownColumns = columns.filter((metric) => cells.some((cell) => cell.metrics[metric] !== undefined));
  const tested = testedMetrics(results, group);
  const estimates = cells.flatMap((cell) => cell.metrics[leading] ?? []);
  const scale = rangeScale(estimates.map((estimate) => finite(estimate)));
  const rows = cells.map((cell) => {
    const estimate = cell.metrics[leading]!;
    const name = linked(cell, classifierName(cell), `${corpus}, ${view}`);
    return html`<tr><th scope="row">${cell === best ? html`<b>${name}</b>` : name}</th><td class="num" data-sort="${estimate.value}">${value(cell, leading)} <span class="ci">${interval(estimate)}</span></td><td>${range(scale, finite(estimate), { metric: leading, reference: best.metrics[leading]!.value })}</td>${versus(results, group, cell, leading)}${shownColumns.map(
      (metric) =>
        html`<td class="num" data-sort="${cell.metrics[metric]?.value ?? ''}">${value(cell, metric)}</td>${tested.includes(metric) && versus(results, group, cell, metric)}`,
    )}<td class="num" data-sort="${cell.cost.seconds}">${seconds(cell.cost.seconds)}</td></tr>\n`;
  });
  const heads = shownColumns.map(
    (metric) => html`${head(measureName(metric))}${tested.includes(metric) && head('to best')}`,
  );
  const all = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
  return html`${scroller(
    `Classifiers of ${corpus}, ${view}`,
    html`<table class="sortable"><caption>${plural(best.documents, 'test document')}, ${plural(best.labels, 'label')}, learnt from ${count(best.trained)}</caption>
<thead><tr><th scope="col" aria-sort="none"><button type="button">Classifier</button></th><th scope="col" class="num" aria-sort="descending"><button type="button">${measureName(leading)}</button></th><th class="axis-head">${rangeAxis(scale, measureName(leading))}</th>${head('to best')}${heads}${head('time')}</tr></thead>
<tbody>${rows}</tbody></table>`,
  )}<details><summary>All metrics</summary>${scroller(
    `All metrics of ${corpus}, ${view}`,
    html`<table class="sortable"><caption>All metrics</caption><thead><tr><th scope="col" aria-sort="none"><button type="button">Classifier</button></th>${all.map((metric) => head(measureName(metric)))}</tr></thead><tbody>${cells.map(
      (cell) =>
        html`<tr><th scope="row">${classifierName(cell)}</th>${all.map((metric) => html`<td class="num">${value(cell, metric)}</td>`)}</tr>\n`,
    )}</tbody></table>`,
  )}</details>`;
}

function head(name: string): Markup {
  return html`<th scope="col" class="num" aria-sort="none"><button type="button">${name}</button></th>`;
}

/** An interval that does not exist is drawn as a point. */
function finite({ value, lower, upper }: { value: number; lower: number; upper: number }) {
  return { value, lower: Number.isFinite(lower) ? lower : value, upper: Number.isFinite(upper) ? upper : value };
}

function versus(
  results: ClassificationResults,
  group: ClassifierGroup,
  cell: ClassificationCell,
  metric: string,
): Markup {
  const best = bestBy(group, metric);
  if (cell === best) return html`<td class="num quiet" data-sort="0">best</td>`;
  const pair = compared(results, group, metric, cell, best);
  if (pair === undefined) return html`<td class="num quiet" data-sort="" title="not tested">–</td>`;
  return html`<td class="num ${pair.verdict}" data-sort="${pair.difference}" title="${verdictTitle(pair, 'documents')}">${verdictGlyph[pair.verdict]}<span class="sr"> ${pair.verdict}</span> ${signed(pair.difference)}</td>`;
}

export function classificationPairs(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.comparisons.length === 0) return undefined;
  const budget = new Budget(500_000);
  // No part is marked with its metric: retrieval's filter of metrics would hide it.
  const panels = classifierGroups(results).map((group) => {
    const { corpus, view } = group;
    const tables = results.comparisons.filter((table) => table.corpus === corpus && table.view === view);
    const matrices = tables.map((table) => budget.take(matrix(results, group, table)));
    return matrices.length > 0 && panel({ corpus, view }, matrices);
  });
  return section(page, {
    id: 'classifier-pairs',
    title: 'Every pair of classifiers',
    csv: classificationFiles.comparisons,
    lead: 'Row minus column. p values come from swapping the predictions of whole families between two classifiers; intervals from resampling families.',
    body: [panels, budget.note('matrices', classificationFiles.comparisons)],
  });
}

function matrix(
  results: ClassificationResults,
  group: ClassifierGroup,
  { metric, margin, pairs }: ClassificationComparison,
): Markup {
  const { corpus, view } = group;
  const cells = group.cells.toSorted((a, b) => metricOf(b, metric) - metricOf(a, metric));
  const rows = cells.map((row, position) => {
    const others = cells.map((column) => {
      if (row === column) return html`<td class="quiet">·</td>`;
      const pair = compared(results, group, metric, row, column);
      if (pair === undefined) return html`<td class="quiet" title="not tested">–</td>`;
      return html`<td class="num ${pair.verdict}" title="${verdictTitle(pair, 'documents')}">${verdictGlyph[pair.verdict]} ${signed(pair.difference)}</td>`;
    });
    return html`<tr><th scope="row"><span class="quiet">${position + 1}</span> ${linked(row, classifierName(row))}</th>${others}</tr>\n`;
  });
  const caption = `${measureName(metric)}, margin ±${margin}, ${plural(pairs[0]?.queries ?? 0, 'document')}, Holm over ${plural(pairs.length, 'pair')}`;
  return scroller(
    `Pairs, ${corpus}, ${view}, ${measureName(metric)}`,
    html`<table class="matrix"><caption>${caption}</caption><thead><tr><td></td>${cells.map(
      (cell, position) =>
        html`<th scope="col" title="${classifierName(cell)}"><span class="sr">${classifierName(cell)} </span>${position + 1}</th>`,
    )}</tr></thead><tbody>${rows}</tbody></table>`,
  );
}
