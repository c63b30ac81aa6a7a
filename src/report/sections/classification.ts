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
  bestGroup,
  type ClassifierGroup,
  classifierGroups,
  compared,
  measureName,
  metricOf,
  testedMetrics,
} from '../classification-standings.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import { count, interval, plural, score, seconds } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, linked, type Page, panel, scroller, section, value } from '../page.ts';
import { unique } from '../standings.ts';
import { pairMatrix, sortable, toBest } from '../tables.ts';
import { shown } from './advice.ts';

export function classificationSummary(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  const groups = classifierGroups(results);
  const body = unique(groups.map(({ corpus }) => corpus)).map((corpus) => {
    const own = groups.filter((group) => group.corpus === corpus);
    const top = bestGroup(own)!;
    const others = own.filter((group) => group !== top);
    return html`<h3>${corpus}, view ${top.view}</h3>
${top.headlines.map((metric) => html`<p>${classifierSentences(results, top, metric).map((sentence) => html`${shown(sentence)} `)}</p>\n`)}${
  others.length > 0 &&
  html`<p>Other views, as observed (views were not tested against each other): ${others.map(({ view, best }, at) => html`${at > 0 && '; '}${view}: ${linked(best, classifierName(best))} ${score(metricOf(best, top.headlines[0]))}`)}.</p>`
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
const columns = ['macro-f1-tuned', 'micro-f1', 'macro-f1', 'sample-f1', 'lrap', 'map', 'p@1', 'ece'];

export function classificationLeaderboard(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  return section(page, {
    id: 'classifiers',
    title: 'Classifiers',
    csv: classificationFiles.leaderboard,
    lead: 'A row is a model read by a probe. Intervals are 95 %. Where documents have several labels, micro-F1 is by one threshold tuned for it and macro-F1 by one for each label, both cross-fitted, so that no document had a say in its own; without a word beside it a threshold is 0.5. ▲ better, ▼ worse, = equivalent within the margin, ? undecided, against the best of the panel, Holm-corrected over all its pairs. Every value leads to its manifest.',
    body: classifierGroups(results).map((group) => panel(group, board(page, group))),
  });
}

function board({ standings }: Page, group: ClassifierGroup): Content {
  const results = standings.results.classification!;
  const { corpus, view, cells, best } = group;
  const [leading] = group.headlines;
  const shownColumns = columns.filter(
    (metric) => metric !== leading && cells.some((cell) => cell.metrics[metric] !== undefined),
  );
  const tested = testedMetrics(results, group);
  const estimates = cells.flatMap((cell) => cell.metrics[leading] ?? []);
  const scale = rangeScale(estimates);
  const rows = cells.map((cell) => {
    const estimate = cell.metrics[leading]!;
    const name = linked(cell, classifierName(cell), `${corpus}, ${view}`);
    return html`<tr><th scope="row">${cell === best ? html`<b>${name}</b>` : name}</th><td class="num" data-sort="${estimate.value}">${value(cell, leading)} <span class="ci">${interval(estimate)}</span></td><td>${range(scale, estimate, { metric: leading, reference: best.metrics[leading]!.value })}</td>${versus(results, group, cell, leading)}${shownColumns.map(
      (metric) =>
        html`<td class="num" data-sort="${cell.metrics[metric]?.value ?? ''}">${value(cell, metric)}</td>${tested.includes(metric) && versus(results, group, cell, metric)}`,
    )}<td class="num" data-sort="${cell.cost.seconds}">${seconds(cell.cost.seconds)}</td></tr>\n`;
  });
  const heads = shownColumns.map(
    (metric) => html`${sortable(measureName(metric), true)}${tested.includes(metric) && sortable('to best', true)}`,
  );
  const all = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
  return html`${scroller(
    `Classifiers of ${corpus}, ${view}`,
    html`<table class="sortable"><caption>${plural(best.documents, 'test document')}, ${plural(best.labels, 'label')}, learnt from ${count(best.trained)}</caption>
<thead><tr>${sortable('Classifier')}${sortable(measureName(leading), true, 'descending')}<th class="axis-head">${rangeAxis(scale, measureName(leading))}</th>${sortable('to best', true)}${heads}${sortable('time', true)}</tr></thead>
<tbody>${rows}</tbody></table>`,
  )}<details><summary>All metrics</summary>${scroller(
    `All metrics of ${corpus}, ${view}`,
    html`<table class="sortable"><caption>All metrics</caption><thead><tr>${sortable('Classifier')}${all.map((metric) => sortable(measureName(metric), true))}</tr></thead><tbody>${cells.map(
      (cell) =>
        html`<tr><th scope="row">${classifierName(cell)}</th>${all.map((metric) => html`<td class="num">${value(cell, metric)}</td>`)}</tr>\n`,
    )}</tbody></table>`,
  )}</details>`;
}

function versus(
  results: ClassificationResults,
  group: ClassifierGroup,
  cell: ClassificationCell,
  metric: string,
): Markup {
  const best = bestBy(group, metric);
  return toBest(cell === best ? 'best' : compared(results, group, metric, cell, best), 'documents');
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
  const caption = `${measureName(metric)}, margin ±${margin}, ${plural(pairs[0]?.queries ?? 0, 'document')}, Holm over ${plural(pairs.length, 'pair')}`;
  return pairMatrix({
    label: `Pairs, ${corpus}, ${view}, ${measureName(metric)}`,
    caption,
    rows: cells,
    nameOf: classifierName,
    link: (row) => linked(row, classifierName(row)),
    compare: (row, column) => compared(results, group, metric, row, column),
    sample: 'documents',
  });
}
