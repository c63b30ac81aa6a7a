/** Clustering: what can be said, the leaderboard, every pair of systems and of views. */
import { findPair } from '../../metrics/comparison.ts';
import type { Comparison } from '../../metrics/types.ts';
import type { ClusteringCell, ClusteringResults } from '../../study/clustering/results.ts';
import { clusteringFiles } from '../clustering-csv.ts';
import { clusteredViewSentences, clusteringSentences, toldMetrics } from '../clustering-sentences.ts';
import {
  bestClustered,
  bestOf,
  type ClusterGroup,
  clusterGroups,
  headline,
  measureOf,
  testedPair,
} from '../clustering-standings.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import { interval, listOf, metricName, plural, score, seconds } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, linked, type Page, panel, scroller, section, value } from '../page.ts';
import { unique } from '../standings.ts';
import { pairMatrix, sortable, toBest } from '../tables.ts';
import { shown } from './advice.ts';

export function clusteringSummary(page: Page): Content {
  const results = page.standings.results.clustering;
  if (results === undefined || results.cells.length === 0) return undefined;
  const body = unique(results.cells.map(({ corpus }) => corpus)).map((corpus) => {
    const top = bestClustered(results, corpus)!;
    const others = clusterGroups(results).filter((group) => group.corpus === corpus && group.view !== top.view);
    const told = [
      ...toldMetrics.map((metric) => clusteringSentences(results, top, metric)),
      clusteredViewSentences(results, top),
    ];
    return html`<h3>${corpus}, view ${top.view}</h3>
${told.map((sentences) => sentences.length > 0 && html`<p>${sentences.map((sentence) => html`${shown(sentence)} `)}</p>\n`)}${
  others.length > 0 &&
  html`<p>Best system of the other views: ${others.map(({ view, best }, at) => html`${at > 0 && '; '}${view}: ${linked(best, best.model)} ${score(measureOf(best))}`)}.</p>`
}`;
  });
  const { leftOut, statement } = results;
  return section(page, {
    id: 'clustering',
    title: 'Clustering: what can be said',
    lead: html`${statement}${leftOut.length > 0 && ` Without a vector for each document, and left out: ${listOf(leftOut)}.`}`,
    body,
  });
}

/** Columns of the leaderboard after the headline. */
const columns = ['ami', 'ari', 'homogeneity', 'completeness', 'purity'];

export function clusteringLeaderboard(page: Page): Content {
  const results = page.standings.results.clustering;
  const first = results?.cells[0];
  if (results === undefined || first === undefined) return undefined;
  const { runs, bootstraps } = first;
  return section(page, {
    id: 'clusterings',
    title: 'Clusterings',
    csv: clusteringFiles.leaderboard,
    lead: html`V-measure leads: the harmonic mean of homogeneity (a cluster holds one label) and completeness (a label lies in one cluster), equal to NMI. Values are means over ${plural(runs.length, 'seed')} of k-means on all documents. The 95 % intervals cover which documents were there (whole families are drawn anew, each clustering held fixed) and where k-means began. They do not cover what clustering another sample would have found: that is “anew”, the mean ± standard deviation of the V-measure over ${plural(bootstraps.vMeasures.length, 'sample')} drawn with replacement, the same for all systems, each clustered anew (the protocol of MTEB). More clusters give a higher V-measure and purity by chance alone; AMI and ARI take chance out. ▲ better, ▼ worse, = equivalent within the margin, ? undecided, against the best of the panel, Holm-corrected over all its pairs. Every value leads to its manifest.`,
    body: clusterGroups(results).map((group) => panel(group, board(results, group))),
  });
}

function board(results: ClusteringResults, group: ClusterGroup): Content {
  const { corpus, view, cells, best } = group;
  const scale = rangeScale(cells.map((cell) => cell.metrics[headline]!));
  const tested = (metric: string) => results.comparisons.some((table) => table.metric === metric);
  const rows = cells.map((cell) => {
    const name = linked(cell, cell.model, `${corpus}, ${view}`);
    const { mean, deviation } = cell.bootstraps;
    return html`<tr><th scope="row">${cell === best ? html`<b>${name}</b>` : name}</th><td class="num" data-sort="${measureOf(cell)}">${value(cell, headline)} <span class="ci">${interval(cell.metrics[headline]!)}</span></td><td>${range(scale, cell.metrics[headline]!, { metric: headline, reference: measureOf(best) })}</td>${versus(results, group, cell, headline)}<td class="num" data-sort="${mean}">${score(mean)} <span class="ci">± ${score(deviation)}</span></td>${columns.map(
      (metric) =>
        html`<td class="num" data-sort="${measureOf(cell, metric)}">${value(cell, metric)}</td>${tested(metric) && versus(results, group, cell, metric)}`,
    )}<td class="num" data-sort="${cell.cost.clusterSeconds}">${seconds(cell.cost.clusterSeconds)}</td><td class="num" data-sort="${cell.cost.seconds}">${seconds(cell.cost.seconds)}</td></tr>\n`;
  });
  const heads = columns.map(
    (metric) => html`${sortable(metricName(metric), true)}${tested(metric) && sortable('to best', true)}`,
  );
  return scroller(
    `Clusterings of ${corpus}, ${view}`,
    html`<table class="sortable"><caption>${plural(best.documents, 'document')}, ${plural(best.labels, 'label')}, ${plural(best.clusters, 'cluster')}</caption>
<thead><tr>${sortable('System')}${sortable(metricName(headline), true, 'descending')}<th class="axis-head">${rangeAxis(scale, metricName(headline))}</th>${sortable('to best', true)}${sortable('anew', true)}${heads}${sortable('one clustering', true)}${sortable('all', true)}</tr></thead>
<tbody>${rows}</tbody></table>`,
  );
}

function versus(results: ClusteringResults, group: ClusterGroup, cell: ClusteringCell, metric: string): Markup {
  const best = bestOf(group, metric);
  return toBest(cell === best ? 'best' : testedPair(results, metric, cell, best), 'documents');
}

export function clusteringPairs(page: Page): Content {
  const results = page.standings.results.clustering;
  if (results === undefined) return undefined;
  const { cells, comparisons, viewComparisons } = results;
  if (comparisons.length + viewComparisons.length === 0) return undefined;
  const budget = new Budget(400_000);
  const key = (...parts: string[]) => JSON.stringify(parts);
  const ofSystems = [...Map.groupBy(comparisons, ({ corpus, view }) => key(corpus, view)).values()].map((tables) => {
    const { corpus, view } = tables[0]!;
    const own = cells.filter((cell) => cell.corpus === corpus && cell.view === view);
    return budget.take(
      panel(
        { corpus, view },
        matrices(tables, own, ({ model }) => model, 'Systems'),
      ),
    );
  });
  const ofViews = [...Map.groupBy(viewComparisons, ({ corpus, model }) => key(corpus, model)).values()].map(
    (tables) => {
      const { corpus, model } = tables[0]!;
      const own = cells.filter((cell) => cell.corpus === corpus && cell.model === model);
      return budget.take(
        panel(
          { corpus },
          matrices(tables, own, ({ view }) => view, `Views of ${model}`),
        ),
      );
    },
  );
  return section(page, {
    id: 'clustering-pairs',
    title: 'Every pair of clusterings',
    csv: clusteringFiles.comparisons,
    lead: 'Row minus column. Intervals and p values from resampling families and drawing seeds of k-means anew, the same for both sides.',
    body: [ofSystems, ofViews, budget.note('matrices', clusteringFiles.comparisons)],
  });
}

/** The headline's matrix, the others on demand. */
function matrices(
  tables: readonly Tested[],
  cells: readonly ClusteringCell[],
  nameOf: (cell: ClusteringCell) => string,
  what: string,
): Content {
  const [first, ...others] = tables.map((table) => matrix(table, cells, nameOf, what));
  const names = tables.slice(1).map(({ metric }) => metricName(metric));
  return [first, others.length > 0 && html`<details><summary>${what}: ${listOf(names)}</summary>${others}</details>`];
}

interface Tested {
  metric: string;
  margin: number;
  pairs: readonly Comparison[];
}

function matrix(
  { metric, margin, pairs }: Tested,
  cells: readonly ClusteringCell[],
  nameOf: (cell: ClusteringCell) => string,
  what: string,
): Markup {
  const caption = `${what}: ${metricName(metric)}, margin ±${margin}, ${plural(pairs[0]?.queries ?? 0, 'document')}, Holm over ${plural(pairs.length, 'pair')}`;
  return pairMatrix({
    label: caption,
    caption,
    rows: cells.toSorted((a, b) => measureOf(b, metric) - measureOf(a, metric)),
    nameOf,
    link: (row) => linked(row, nameOf(row)),
    compare: (row, column) => findPair(pairs, nameOf(row), nameOf(column)),
    sample: 'documents',
  });
}
