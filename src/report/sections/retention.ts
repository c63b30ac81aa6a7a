/** Vectors cut to fewer dimensions: what is kept of the full width, and whether the loss is shown. */
import type { Retention } from '../../study/results.ts';
import { distinct } from '../figures/frame.ts';
import { lines } from '../figures/lines.ts';
import { bytes, count, interval, metricName, percent, score, signed, signedInterval, verdictGlyph } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, figure, type Page, panel, scroller, section } from '../page.ts';
import { verdictTitle } from '../tables.ts';

export function retention(page: Page): Content {
  const { standings, files } = page;
  const all = standings.results.retentions;
  if (all.length === 0) return undefined;
  const budget = new Budget(250_000);
  const groups = Map.groupBy(all, ({ corpus, view, metric }) => JSON.stringify([corpus, view, metric]));
  const panels = [...groups.values()].map((models) => {
    const { corpus, view, metric } = models[0]!;
    const title = `${metricName(metric)} kept by dimensions, ${corpus}, ${view}`;
    // The systems' own colours, unless one has none.
    const places = models.map(({ full }) => standings.systems.indexOf(full.system));
    const own = places.every((place) => place >= 0 && place < distinct);
    const picture = lines({
      title,
      series: models.map(({ model, full, cut }, order) => {
        return {
          name: model,
          index: own ? places[order]! : order,
          points: [
            ...cut.toReversed().map(({ dimensions, kept }) => ({ x: dimensions, y: kept.value })),
            { x: full.dimensions, y: 1 },
          ],
        };
      }),
      x: { label: 'dimensions, logarithmic', log: true, format: count },
      y: { label: `${metricName(metric)} over that at full width` },
      height: 230,
    });
    return budget.take(panel({ corpus, view, metric }, [figure(title, picture), table(page, models, title)]));
  });
  return section(page, {
    id: 'retention',
    title: 'Fewer dimensions',
    csv: files.retention,
    lead: 'The leading dimensions of the same vectors, brought to length 1 again; nothing is encoded anew. Kept: mean over mean at full width, the same queries. The difference is the paired test of the two systems, Holm-corrected over all pairs of the view.',
    body: [panels, budget.note('panels', files.retention)],
  });
}

function table({ standings }: Page, models: readonly Retention[], title: string): Markup {
  const rows = models.flatMap(({ corpus, view, metric, full, cut }) => {
    const of = (system: string) => standings.cell(corpus, view, system);
    const first = html`<tr><th scope="row">${full.system}</th><td class="num">${count(full.dimensions)}</td><td class="num">${score(of(full.system)?.metrics[metric]?.value ?? Number.NaN)}</td><td class="num">100 %</td><td></td><td class="num">${bytes(of(full.system)?.cost.indexBytes)}</td></tr>\n`;
    return [
      first,
      ...cut.map(({ system, dimensions, kept }) => {
        const pair = standings.compare(corpus, view, metric, system, full.system);
        const verdict =
          pair === undefined
            ? html`<td class="quiet" title="not tested">–</td>`
            : html`<td class="num ${pair.verdict}" title="${verdictTitle(pair)}">${verdictGlyph[pair.verdict]}<span class="sr"> ${pair.verdict}</span> ${signed(pair.difference)} ${signedInterval(pair)}</td>`;
        return html`<tr><th scope="row">${system}</th><td class="num">${count(dimensions)}</td><td class="num">${score(of(system)?.metrics[metric]?.value ?? Number.NaN)}</td><td class="num">${share(kept)}</td>${verdict}<td class="num">${bytes(of(system)?.cost.indexBytes)}</td></tr>\n`;
      }),
    ];
  });
  return scroller(
    `${title}, table`,
    html`<table><caption>${title}</caption><thead><tr><th scope="col">System</th><th scope="col" class="num">dimensions</th><th scope="col" class="num">${metricName(models[0]!.metric)}</th><th scope="col" class="num">kept</th><th scope="col" class="num">minus full width</th><th scope="col" class="num">index</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function share({ value, lower, upper }: { value: number; lower: number; upper: number }): string {
  const known = Number.isFinite(lower) && Number.isFinite(upper);
  return `${percent(value)} ${known ? `[${percent(lower)}, ${percent(upper)}]` : interval({ lower, upper })}`;
}
