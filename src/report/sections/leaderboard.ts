/** The leaderboard: one table a corpus, a row a system and view, the interval drawn on a scale that all rows share. */
import { type CellResult, systemName } from '../../study/results.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import { interval, metricName, plural } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { linked, type Page, scroller, section, value } from '../page.ts';
import { sortable, verdictCell } from '../tables.ts';

export function leaderboard(page: Page): Markup {
  const { standings, files } = page;
  const boards = standings.corpora.map((corpus) => board(page, corpus));
  return section(page, {
    id: 'leaderboard',
    title: 'Leaderboard',
    csv: files.leaderboard,
    lead: html`Intervals are 95 %. ▲ better, ▼ worse, = equivalent within the margin, ? undecided (too few queries to tell, or a difference below the margin): paired tests of systems on the same corpus, view and metric, Holm-corrected over all their pairs. The best system of each view stands in bold. Every value leads to its manifest.`,
    body: [filters(page), boards],
  });
}

/** The form above the leaderboard; shown by the script where there is a choice. */
function filters({ standings }: Page): Content {
  return html`<form class="filter" data-for="board" hidden aria-label="Filter of the leaderboard">
${select('corpus', 'Corpus', ['', ...standings.corpora])}${select('view', 'View', ['', ...standings.views])}${select('metric', 'Metric', standings.metrics, standings.metric)}
</form>\n`;
}

export function select(name: string, label: string, options: readonly string[], chosen?: string): Content {
  const real = options.filter((option) => option !== '');
  if (real.length < 2) return undefined;
  return html`<label>${label} <select name="${name}">${options.map((option) => {
    const text = option === '' ? 'all' : name === 'metric' ? metricName(option) : option;
    return html`<option value="${option}"${option === chosen && html` selected`}>${text}</option>`;
  })}</select></label> `;
}

function board({ standings }: Page, corpus: string): Content {
  const cells = standings.results.cells
    .filter((cell) => cell.corpus === corpus)
    .sort((a, b) => standings.value(b) - standings.value(a));
  if (cells.length === 0) return undefined;
  const head = standings.metrics.map((metric) => {
    const estimates = cells.flatMap((cell) => cell.metrics[metric] ?? []);
    if (estimates.length === 0) return { metric, scale: undefined, top: 0 };
    return { metric, scale: rangeScale(estimates), top: Math.max(...estimates.map((estimate) => estimate.value)) };
  });
  const shown = (metric: string) => metric !== standings.metric && html` hidden`;
  const heads = head.map(
    ({ metric, scale }) =>
      html`<th scope="col" class="num" data-metric="${metric}"${shown(metric)} aria-sort="${metric === standings.metric ? 'descending' : 'none'}"><button type="button">${metricName(metric)}</button></th><th data-metric="${metric}"${shown(metric)} class="axis-head">${scale && rangeAxis(scale, metricName(metric))}</th><th scope="col" class="num" data-metric="${metric}"${shown(metric)}><button type="button">to best of view</button></th><th scope="col" class="num" data-metric="${metric}"${shown(metric)}><button type="button">to bm25</button></th>`,
  );
  const rows = cells.map((cell) => {
    const group = standings.group(corpus, cell.view)!;
    const columns = head.map(({ metric, scale, top }) => {
      const best = group.cells.reduce((a, b) => (standings.value(b, metric) > standings.value(a, metric) ? b : a));
      const estimate = cell.metrics[metric];
      const at = html` data-metric="${metric}"${shown(metric)}`;
      return html`<td class="num"${at} data-sort="${estimate?.value ?? ''}">${value(cell, metric)}${estimate && html` <span class="ci">${interval(estimate)}</span>`}</td><td${at}>${estimate && scale && range(scale, estimate, { metric, reference: top })}</td>${versus(standings, cell, best, metric, at, 'best')}${versus(standings, cell, group.baseline, metric, at, 'bm25')}`;
    });
    const strong = cell === group.best;
    const name = linked(cell, systemName(cell), `${corpus}, ${cell.view}`);
    return html`<tr data-view="${cell.view}"><th scope="row">${strong ? html`<b>${name}</b>` : name}</th><td>${cell.view}</td>${columns}</tr>\n`;
  });
  const { documents, queries } = cells[0]!;
  const label = `Leaderboard of ${corpus}`;
  return html`<div class="board" data-corpus="${corpus}">${scroller(
    label,
    html`<table class="sortable"><caption>${corpus}: ${plural(queries, 'query', 'queries')} against ${plural(documents, 'document')}, ${plural(cells.length, 'row')}</caption>
<thead><tr>${sortable('System')}${sortable('View')}${heads}</tr></thead>
<tbody>${rows}</tbody></table>`,
  )}${allMetrics(standings.metrics, cells, corpus)}</div>\n`;
}

function versus(
  standings: Page['standings'],
  cell: CellResult,
  other: CellResult | undefined,
  metric: string,
  at: Markup,
  word: string,
): Markup {
  if (other === undefined) return html`<td class="num quiet"${at} data-sort="">–</td>`;
  if (other === cell) return html`<td class="num quiet"${at} data-sort="0">${word}</td>`;
  const pair = standings.compare(cell.corpus, cell.view, metric, systemName(cell), systemName(other));
  if (pair === undefined) return html`<td class="num quiet"${at} data-sort="" title="not tested">–</td>`;
  return verdictCell(pair, { at });
}

function allMetrics(metrics: string[], cells: CellResult[], corpus: string): Content {
  if (metrics.length < 2) return undefined;
  const table = html`<table class="sortable"><caption>${corpus}: all metrics</caption><thead><tr>${sortable('System')}${sortable('View')}${metrics.map((metric) => sortable(metricName(metric), true))}</tr></thead><tbody>${cells.map(
    (cell) =>
      html`<tr data-view="${cell.view}"><th scope="row">${systemName(cell)}</th><td>${cell.view}</td>${metrics.map(
        (metric) => html`<td class="num">${value(cell, metric)}</td>`,
      )}</tr>\n`,
  )}</tbody></table>`;
  return html`<details><summary>All metrics of ${corpus}</summary>${scroller(`All metrics of ${corpus}`, table)}</details>`;
}
