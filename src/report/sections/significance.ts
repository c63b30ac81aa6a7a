/** The significance matrix: all pairs of one corpus x view x metric, row minus column. */
import { type ComparisonTable, systemName } from '../../study/results.ts';
import { count, metricName } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, type Page, panel, section, systemLink } from '../page.ts';
import { pairMatrix } from '../tables.ts';

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
  const queries = table.pairs[0]?.queries;
  const caption = html`${metricName(metric)}, margin ±${table.margin}${queries !== undefined && `, ${count(queries)} queries`}, Holm over ${count(table.pairs.length)} pairs`;
  return pairMatrix({
    label: `Significance matrix, ${corpus}, ${view}, ${metricName(metric)}`,
    caption,
    rows: systems,
    nameOf: (system) => system,
    link(system) {
      const cell = standings.cell(corpus, view, system);
      return cell === undefined ? system : systemLink(cell);
    },
    compare: (row, column) => standings.compare(corpus, view, metric, row, column),
  });
}
