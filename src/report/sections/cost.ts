/** What each system cost, and what quality that bought. */
import { type Cost, systemName } from '../../study/results.ts';
import { qualityAgainstCost } from '../figures/scatter.ts';
import { bytes, metricName, percent, rate, seconds } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { figure, linked, type Page, panel, scroller, section } from '../page.ts';
import { sortable } from '../tables.ts';

const columns = [
  'documents/s',
  'queries/s',
  'ms a query',
  'encoding',
  'search',
  'of it fusion',
  'of it reranking',
  'in all',
  'peak memory',
  'index',
  'texts cut',
] as const;

export function cost(page: Page): Markup {
  const { standings, files } = page;
  const panels = standings.groups.map((group) => {
    const { corpus, view, cells } = group;
    const name = `Cost, ${corpus}, ${view}`;
    const rows = cells.map((cell) => {
      const { cost } = cell;
      const stored = hadVectors(cost);
      const numbers: [number | undefined, string][] = [
        [cost.documentsPerSecond, rate(cost.documentsPerSecond)],
        [cost.queriesPerSecond, rate(cost.queriesPerSecond)],
        [millisecondsOf(cost), rate(millisecondsOf(cost))],
        stored ? [undefined, 'stored'] : [cost.encodeSeconds, seconds(cost.encodeSeconds)],
        [cost.searchSeconds, seconds(cost.searchSeconds)],
        [cost.fusionSeconds, seconds(cost.fusionSeconds)],
        [cost.rerankSeconds, seconds(cost.rerankSeconds)],
        stored ? [undefined, '–'] : [cost.seconds, seconds(cost.seconds)],
        [cost.peakMemoryBytes, bytes(cost.peakMemoryBytes)],
        [cost.indexBytes, bytes(cost.indexBytes)],
        [cost.truncated, cost.truncated === undefined ? '–' : percent(cost.truncated)],
      ];
      return html`<tr><th scope="row">${linked(cell, systemName(cell), `${corpus}, ${view}`)}</th>${numbers.map(
        ([sort, text]) => html`<td class="num" data-sort="${sort ?? ''}">${text}</td>`,
      )}</tr>\n`;
    });
    const heads = columns.map((column) => sortable(column, true));
    const table = html`<table class="sortable"><caption class="sr">${name}</caption><thead><tr>${sortable('System')}${heads}</tr></thead><tbody>${rows}</tbody></table>`;
    const points = cells.flatMap((cell) => {
      const estimate = cell.metrics[standings.metric];
      if (estimate === undefined || hadVectors(cell.cost)) return [];
      return {
        name: systemName(cell),
        index: standings.systems.indexOf(systemName(cell)),
        seconds: cell.cost.seconds,
        estimate,
      };
    });
    const title = `${metricName(standings.metric)} against seconds, ${corpus}, ${view}`;
    return panel({ corpus, view }, [
      scroller(name, table),
      points.length > 1 && figure(title, qualityAgainstCost({ title, metric: standings.metric, points })),
    ]);
  });
  return section(page, {
    id: 'cost',
    title: 'Cost',
    csv: files.leaderboard,
    lead: machine(page),
    body: panels,
  });
}

/** Where vectors were found stored, the time spent says nothing of what the system costs. */
function hadVectors({ encodeSeconds, documentsPerSecond }: Cost): boolean {
  return encodeSeconds !== undefined && documentsPerSecond === undefined;
}

function millisecondsOf({ queriesPerSecond }: Cost): number | undefined {
  return queriesPerSecond === undefined ? undefined : 1000 / queriesPerSecond;
}

function machine({ standings }: Page): Content {
  const machines = standings.results.cells.map(
    ({ manifest: { device, environment } }) =>
      `${environment.processor} (${environment.platform}), ${environment.threads} threads, ${device}, Node ${environment.node.replace(/^v/, '')}`,
  );
  const distinct = [...new Set(machines)];
  const stored = standings.results.cells.some(({ cost }) => hadVectors(cost));
  return `Measured on ${distinct.slice(0, 3).join('; ')}${distinct.length > 3 ? `; and ${distinct.length - 3} more` : ''}. “Texts cut” is the share longer than the model reads. A fused system needs both its parts: its times, index and memory are theirs and the fusion's together; “in all” also holds the choice of its setting. A reranked system needs its base in the same way; of it, “texts cut” counts pairs.${stored ? ' “Stored”: the vectors had been made before, so what the system costs in all is not known from this run; it is not in the figure.' : ''}`;
}
