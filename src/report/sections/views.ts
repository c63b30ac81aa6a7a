/** Which text serves a system best: its views against one another over the same queries. */
import { findPair } from '../../metrics/comparison.ts';
import type { ViewComparison } from '../../study/results.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import type { Scale } from '../figures/scale.ts';
import { interval, metricName, score } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, type Page, panel, scroller, section } from '../page.ts';
import { pairCells } from '../tables.ts';

export function views(page: Page): Content {
  const { standings, files } = page;
  const all = standings.results.viewComparisons.filter((table) => table.views.length > 1);
  if (all.length === 0) return undefined;
  const budget = new Budget(400_000);
  const keys = [...new Set(all.map((table) => JSON.stringify([table.corpus, table.metric])))];
  const groups = keys.map((key) =>
    all
      .filter((table) => JSON.stringify([table.corpus, table.metric]) === key)
      .sort((a, b) => standings.systems.indexOf(a.model) - standings.systems.indexOf(b.model)),
  );
  const drawn = groups.map((tables) => {
    const scale = rangeScale(tables.flatMap((table) => Object.values(table.estimates)));
    return tables.flatMap((table) => budget.take(viewTable(table, scale)) ?? []);
  });
  const panels = groups.map((tables, index) => {
    const { corpus, metric } = tables[0]!;
    return drawn[index]!.length > 0 && panel({ corpus, metric }, drawn[index]!);
  });
  return section(page, {
    id: 'views',
    title: 'Which text',
    csv: files.comparisons,
    lead: 'The views of one system against one another, over the same queries: row minus column, Holm-corrected over the pairs of each system.',
    body: [panels, budget.note('systems', files.comparisons)],
  });
}

/** All systems of a panel share the scale, so that they can be compared by eye. */
function viewTable({ corpus, model, metric, margin, views, estimates, pairs }: ViewComparison, scale: Scale): Markup {
  const order = views.toSorted((a, b) => (estimates[b]?.value ?? 0) - (estimates[a]?.value ?? 0));
  const name = metricName(metric);
  const rows = order.map((row) => {
    const estimate = estimates[row];
    const columns = pairCells(row, order, (a, b) => findPair(pairs, a, b));
    return html`<tr><th scope="row">${row}</th><td class="num">${estimate && html`${score(estimate.value)} <span class="ci">${interval(estimate)}</span>`}</td><td>${estimate && range(scale, estimate, { metric })}</td>${columns}</tr>\n`;
  });
  return scroller(
    `Views of ${model}, ${corpus}, ${name}`,
    html`<table class="matrix"><caption>${model}, margin ±${margin}</caption><thead><tr><th scope="col">View</th><th scope="col" class="num">${name}</th><th class="axis-head">${rangeAxis(scale, name)}</th>${order.map((view) => html`<th scope="col">${view}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
  );
}
