/** The same comparison by what the query is (year, country, language, length, ...): does the order hold everywhere? */
import { type Stratum, systemName } from '../../study/results.ts';
import { strataFigure } from '../figures/ranges.ts';
import { count, metricName, plural, withInterval } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, figure, type Page, panel, scroller, section } from '../page.ts';
import { isBm25, unique } from '../standings.ts';

/** Systems drawn side by side: the best ones, BM25 always among them. */
const shown = 4;
/** With more strata than `roomy` only two systems are drawn; more than `legible` are read from the table. */
const roomy = 24;
const legible = 64;

/** Stratifications in their order, as axes and captions name them. */
const strataNames: Record<Stratum['by'], string> = {
  year: 'year',
  country: 'country',
  language: 'language',
  length: 'words of the query’s text',
  family: 'patents of the query’s family in the corpus',
  relevant: 'relevant documents',
};

export function strata(page: Page): Content {
  const { standings, files } = page;
  const all = standings.results.strata;
  if (all.length === 0) return undefined;
  const budget = new Budget(700_000);
  const panels = standings.groups.flatMap((group) => {
    const { corpus, view } = group;
    const here = all.filter((stratum) => stratum.corpus === corpus && stratum.view === view);
    return unique(here.map((stratum) => stratum.metric)).map((metric) => {
      const parts = (Object.keys(strataNames) as Stratum['by'][]).map((by) => {
        const named = strataNames[by];
        const rows = here.filter((stratum) => stratum.metric === metric && stratum.by === by);
        if (rows.length === 0) return undefined;
        if (rows.length === 1) {
          const { stratum, queries } = rows[0]!;
          return html`<p class="lead">By ${named}: ${stratum} for all ${plural(queries, 'query', 'queries')}.</p>`;
        }
        const names = group.cells.map(systemName).filter((name) => rows.some((row) => row.systems[name] !== undefined));
        if (names.length === 0) return undefined;
        const title = `${metricName(metric)} by ${named}, ${corpus}, ${view}`;
        const baselines = new Set(group.cells.filter(isBm25).map(systemName));
        const drawn = chosen(names, baselines, rows.length > roomy ? 2 : shown);
        const largest = rows.toSorted((a, b) => b.queries - a.queries).slice(0, legible);
        const picture = strataFigure({
          title,
          metric,
          by: named,
          strata: rows
            .filter((row) => largest.includes(row))
            .map((row) => ({
              name: row.stratum,
              queries: row.queries,
              values: drawn.map((name) => row.systems[name]),
            })),
          systems: drawn.map((name) => ({ name, index: standings.systems.indexOf(name) })),
        });
        const note =
          rows.length > legible &&
          `The ${legible} largest of ${plural(rows.length, 'stratum', 'strata')}; all in the table.`;
        return html`${figure(title, picture, note)}${table(rows, names, title)}`;
      });
      return budget.take(panel({ corpus, view, metric }, parts));
    });
  });
  return section(page, {
    id: 'strata',
    title: 'By what the query is',
    csv: files.strata,
    lead: 'Intervals widen with fewer queries; differences between strata are described, not tested. Numbers are gathered into runs of similar size.',
    body: [
      standings.results.absentStrata
        .filter(({ by }) => by !== 'domain')
        .map(({ corpus, by, reason }) => html`<p class="lead">${corpus}, by ${by}: ${reason}.</p>`),
      panels,
      budget.note('panels', files.strata),
    ],
  });
}

function chosen(names: string[], baselines: ReadonlySet<string>, most: number): string[] {
  const first = names.slice(0, most);
  if (first.some((name) => baselines.has(name))) return first;
  const baseline = names.find((name) => baselines.has(name));
  return baseline === undefined ? first : [...names.slice(0, most - 1), baseline];
}

function table(
  rows: {
    stratum: string;
    queries: number;
    systems: Record<string, { value: number; lower: number; upper: number }>;
  }[],
  names: string[],
  title: string,
): Markup {
  return html`<details><summary>As a table</summary>${scroller(
    `${title}, table`,
    html`<table><caption>${title}</caption><thead><tr><th scope="col"></th><th scope="col" class="num">queries</th>${names.map((name) => html`<th scope="col" class="num">${name}</th>`)}</tr></thead><tbody>${rows.map(
      (row) =>
        html`<tr><th scope="row">${row.stratum}</th><td class="num">${count(row.queries)}</td>${names.map((name) => {
          const estimate = row.systems[name];
          return html`<td class="num">${estimate === undefined ? '–' : withInterval(estimate)}</td>`;
        })}</tr>`,
    )}</tbody></table>`,
  )}</details>`;
}
