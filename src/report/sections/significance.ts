/** The significance matrix: all pairs of one corpus x view x metric, row minus column. */
import { type ComparisonTable, systemName } from '../../study/results.ts';
import { count, metricName, signed, verdictGlyph } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, type Page, panel, scroller, section, systemLink } from '../page.ts';
import { verdictTitle } from './leaderboard.ts';

export function significance(page: Page): Markup {
  const { standings, files } = page;
  const budget = new Budget(900_000);
  const tables = standings.results.comparisons.toSorted(
    (a, b) => Number(b.metric === standings.metric) - Number(a.metric === standings.metric),
  );
  return section(page, {
    id: 'significance',
    title: 'Every pair',
    csv: files.comparisons,
    lead: 'Row minus column. ▲ better, ▼ worse, = equivalent within the margin, ? undecided. Intervals and p values on hover, and in the CSV.',
    body: [
      tables.map((table) => budget.take(panel(table, matrix(page, table)))),
      budget.note('matrices', files.comparisons),
    ],
  });
}

function matrix({ standings }: Page, table: ComparisonTable): Content {
  const { corpus, view, metric } = table;
  const order = standings.group(corpus, view)?.cells.map(systemName) ?? [];
  const place = (system: string) => (order.includes(system) ? order.indexOf(system) : order.length);
  const systems = table.systems.toSorted((a, b) => place(a) - place(b));
  const rows = systems.map((row, position) => {
    const cell = standings.cell(corpus, view, row);
    const columns = systems.map((column) => {
      if (row === column) return html`<td class="quiet">·</td>`;
      const pair = standings.compare(corpus, view, metric, row, column);
      if (pair === undefined) return html`<td class="quiet" title="not tested">–</td>`;
      return html`<td class="num ${pair.verdict}" title="${verdictTitle(pair)}">${verdictGlyph[pair.verdict]} ${signed(pair.difference)}</td>`;
    });
    return html`<tr><th scope="row"><span class="quiet">${position + 1}</span> ${cell === undefined ? row : systemLink(cell)}</th>${columns}</tr>\n`;
  });
  const queries = table.pairs[0]?.queries;
  const caption = html`${metricName(metric)}, margin ±${table.margin}${queries !== undefined && `, ${count(queries)} queries`}, Holm over ${count(table.pairs.length)} pairs`;
  return scroller(
    `Significance matrix, ${corpus}, ${view}, ${metricName(metric)}`,
    html`<table class="matrix"><caption>${caption}</caption><thead><tr><td></td>${systems.map(
      (system, position) =>
        html`<th scope="col" title="${system}"><span class="sr">${system} </span>${position + 1}</th>`,
    )}</tr></thead><tbody>${rows}</tbody></table>`,
  );
}
