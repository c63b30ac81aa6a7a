/** Relevant documents in and out of the query's technical domain: how much is lost outside it, and whether fusion helps. */
import { findPair } from '../../metrics/comparison.ts';
import type { DomainResult } from '../../study/results.ts';
import { strataFigure } from '../figures/ranges.ts';
import {
  count,
  listOf,
  metricName,
  percent,
  plural,
  score,
  signed,
  signedInterval,
  verdictGlyph,
  withInterval,
} from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, figure, type Page, panel, scroller, section } from '../page.ts';
import { verdictTitle } from '../tables.ts';

/** Systems drawn side by side. */
const shown = 6;

export function domains(page: Page): Content {
  const { standings, files } = page;
  const { domains, absentStrata } = standings.results;
  const absent = absentStrata.filter(({ by }) => by === 'domain');
  if (domains.length === 0 && absent.length === 0) return undefined;
  const budget = new Budget(300_000);
  const panels = domains.map((result) => {
    const { corpus, view, metric } = result;
    const names = standings.systems.filter((name) => result.systems[name] !== undefined);
    const title = `${metricName(metric)} in and out of domain, ${corpus}, ${view}`;
    const drawn = names.slice(0, shown);
    const strata = (['in', 'out'] as const).map((domain) => ({
      name: domain.toUpperCase(),
      queries: result.queries[domain],
      values: drawn.map((name) => result.systems[name]![domain]),
    }));
    const systems = drawn.map((name) => ({ name, index: standings.systems.indexOf(name) }));
    const picture = strataFigure({ title, metric, by: 'domain', strata, systems });
    return budget.take(
      panel({ corpus, view, metric }, [
        html`<p class="lead">${ground(result)}</p>`,
        figure(title, picture),
        table(result, names, title),
        fusions(result, metricName(metric)),
      ]),
    );
  });
  return section(page, {
    id: 'domains',
    title: 'In and out of domain',
    ...(domains.length > 0 ? { csv: files.domains } : {}),
    lead:
      domains.length > 0 &&
      'IN: query and relevant document share a three-character IPC class; OUT: they share none (DAPFAM’s rule). Every ranking is over the whole corpus; relevant documents of the other domain count as not relevant, queries with none in a domain are not counted there. Drop = (IN − OUT) / IN. OUT documents compete with IN documents for the same ranks: compare drops with each other, not with 0.',
    body: [
      absent.map(
        ({ corpus, reason }) => html`<p class="lead">${corpus}: ${reason}, so that IN and OUT cannot be told.</p>`,
      ),
      panels,
      budget.note('panels', files.domains),
    ],
  });
}

/** What the domains of this corpus stand on. */
function ground({ judgements, patents, queries }: DomainResult): string {
  const parts = [
    `${plural(judgements.in, 'relevant document')} IN (${plural(queries.in, 'query', 'queries')}), ${count(judgements.out)} OUT (${plural(queries.out, 'query', 'queries')}), ${plural(queries.both, 'query', 'queries')} with both`,
  ];
  if (judgements.unknown > 0)
    parts.push(`${count(judgements.unknown)} neither, for want of a code on one side or the other`);
  const codes = [
    ...(patents.cpc > 0 ? [`${count(patents.cpc)} placed by CPC for want of IPC`] : []),
    ...(patents.none > 0 ? [`${count(patents.none)} without either`] : []),
  ];
  if (codes.length > 0) parts.push(`of ${count(patents.ipc + patents.cpc + patents.none)} patents ${listOf(codes)}`);
  return `${parts.join('; ')}.`;
}

function table({ systems, metric }: DomainResult, names: readonly string[], title: string): Markup {
  const rows = names.map((name) => {
    const { in: inside, out, drop, dropOfBoth } = systems[name]!;
    return html`<tr><th scope="row">${name}</th><td class="num">${withInterval(inside)}</td><td class="num">${withInterval(out)}</td><td class="num">${share(drop)}</td><td class="num">${dropOfBoth === undefined ? '–' : share(dropOfBoth)}</td></tr>`;
  });
  return scroller(
    `${title}, table`,
    html`<table><caption>${metricName(metric)} and its drop</caption><thead><tr><th scope="col">System</th><th scope="col" class="num">IN</th><th scope="col" class="num">OUT</th><th scope="col" class="num">drop</th><th scope="col" class="num">drop, queries with both</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function share({ value, lower, upper }: { value: number; lower: number; upper: number }): string {
  const known = Number.isFinite(lower) && Number.isFinite(upper);
  return `${percent(value)} ${known ? `[${percent(lower)}, ${percent(upper)}]` : '(no interval)'}`.replaceAll(
    '-',
    '\u2212',
  );
}

/** Fused systems against their parts where it matters: out of domain. */
function fusions({ fusions, outPairs, systems, margin }: DomainResult, name: string): Content {
  if (fusions.length === 0) return undefined;
  const rows = fusions.map(({ fused, dense, bm25, dropDifference }) => {
    const drop = (system: string | undefined) =>
      system === undefined ? '–' : percent(systems[system]!.drop.value).replace('-', '\u2212');
    const against = (system: string | undefined) => {
      const pair = system === undefined ? undefined : findPair(outPairs, fused, system);
      if (pair === undefined) return html`<td class="quiet">–</td>`;
      return html`<td class="num ${pair.verdict}" title="${verdictTitle(pair)}">${verdictGlyph[pair.verdict]} ${signed(pair.difference)} ${signedInterval(pair)}<span class="sr"> ${pair.verdict}</span></td>`;
    };
    return html`<tr><th scope="row">${fused}</th><td class="num">${score(systems[fused]!.out.value)}</td>${against(dense)}${against(bm25)}<td class="num">${drop(bm25)}</td><td class="num">${drop(dense)}</td><td class="num">${drop(fused)}</td><td class="num">${points(dropDifference)}</td></tr>`;
  });
  return scroller(
    `Fusion out of domain, ${name}`,
    html`<table><caption>Does fusion close the gap? ${name} over OUT documents, margin ±${margin}</caption><thead><tr><th scope="col">System</th><th scope="col" class="num">OUT</th><th scope="col" class="num">minus its dense part</th><th scope="col" class="num">minus bm25</th><th scope="col" class="num">drop of bm25</th><th scope="col" class="num">of dense</th><th scope="col" class="num">fused</th><th scope="col" class="num">fused minus dense, points</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

/** A difference of shares in percentage points. */
function points({ value, lower, upper }: { value: number; lower: number; upper: number }): string {
  const one = (number: number) =>
    Number.isFinite(number) ? `${number > 0 ? '+' : ''}${(100 * number).toFixed(1)}`.replace('-', '\u2212') : '–';
  return `${one(value)} [${one(lower)}, ${one(upper)}]`;
}
