/** Recall by rank cut, and the fusion sweep: how the metric moves with the weight of the dense score. */

import { distinct } from '../figures/frame.ts';
import { lines } from '../figures/lines.ts';
import { count, metricName, score, shorten } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { figure, type Page, panel, scroller, section } from '../page.ts';

export function recall(page: Page): Content {
  const { standings, files } = page;
  if (standings.results.recallCurves.length === 0) return undefined;
  const panels = standings.groups.map(({ corpus, view }) => {
    const curves = standings.results.recallCurves
      .filter((curve) => curve.corpus === corpus && curve.view === view && curve.points.length > 0)
      .map((curve) => ({ ...curve, index: standings.systems.indexOf(curve.system) }))
      .sort((a, b) => (b.points.at(-1)?.recall ?? 0) - (a.points.at(-1)?.recall ?? 0));
    if (curves.length === 0) return undefined;
    const drawn = curves.filter((curve) => curve.index >= 0 && curve.index < distinct);
    const title = `Recall by rank cut, ${corpus}, ${view}`;
    const picture = lines({
      title,
      series: (drawn.length > 0 ? drawn : curves.slice(0, distinct)).map((curve) => ({
        name: curve.system,
        index: curve.index,
        points: curve.points.map((point) => ({ x: point.k, y: point.recall })),
      })),
      x: { label: 'documents read per query, logarithmic', log: true, format: count },
      y: { label: 'recall: share of the cited documents found', fromZero: true },
    });
    const missing = curves.length - drawn.length;
    return panel({ corpus, view }, [
      figure(
        title,
        picture,
        missing > 0 &&
          drawn.length > 0 &&
          `The ${distinct} best systems of the report; ${count(missing)} more in the CSV.`,
      ),
      table(curves, title),
    ]);
  });
  return section(page, {
    id: 'recall',
    title: 'Recall',
    csv: files.recall,
    lead: 'Of the cited documents inside the corpus, the mean share found when reading down to a rank.',
    body: panels,
  });
}

function table(curves: { system: string; points: { k: number; recall: number }[] }[], title: string): Markup {
  const cuts = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point.k)))].sort((a, b) => a - b);
  return html`<details><summary>As a table</summary>${scroller(
    `${title}, table`,
    html`<table><caption>${title}</caption><thead><tr><th scope="col">System</th>${cuts.map((k) => html`<th scope="col" class="num">${count(k)}</th>`)}</tr></thead><tbody>${curves.map(
      (curve) =>
        html`<tr><th scope="row">${curve.system}</th>${cuts.map((k) => {
          const point = curve.points.find((candidate) => candidate.k === k);
          return html`<td class="num">${point === undefined ? '–' : score(point.recall)}</td>`;
        })}</tr>`,
    )}</tbody></table>`,
  )}</details>`;
}

export function fusion(page: Page): Content {
  const { standings, files } = page;
  const sweeps = standings.results.alphaSweeps;
  if (sweeps.length === 0) return undefined;
  const panels = standings.groups.flatMap(({ corpus, view }) => {
    const here = sweeps.filter((sweep) => sweep.corpus === corpus && sweep.view === view && sweep.points.length > 0);
    return [...new Set(here.map((sweep) => sweep.metric))].map((metric) => {
      const title = `${metricName(metric)} by interpolation weight, ${corpus}, ${view}`;
      const picture = lines({
        title,
        series: here
          .filter((sweep) => sweep.metric === metric)
          .map((sweep, order) => {
            const known = standings.systems.indexOf(sweep.dense);
            return {
              name: shorten(sweep.dense, 30),
              index: known < 0 ? order : known,
              points: sweep.points.map((point) => ({ x: point.alpha, y: point.value })),
            };
          }),
        x: { label: 'α: 0 is bm25 alone, 1 the dense model alone' },
        y: { label: metricName(metric) },
        height: 230,
      });
      return panel({ corpus, view, metric }, figure(title, picture));
    });
  });
  return section(page, {
    id: 'fusion',
    title: 'Fusion weight',
    csv: files.alpha,
    lead: 'Mean over all queries at each weight α of the dense score (per-query min–max). The leaderboard does not take the peak of this curve: its α is cross-fitted, so that no query chose its own weight.',
    body: panels,
  });
}
