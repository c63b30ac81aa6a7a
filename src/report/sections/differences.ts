/** Query by query: how the differences of each pair are spread, and the queries where a pair differs most. */
import { murmur3 } from '../../base/random.ts';
import { type DifferenceShape, systemName, type WinLoss, type WinLossRow } from '../../study/results.ts';
import { differenceRow, differenceScale } from '../figures/bars.ts';
import { fixed, svg } from '../figures/frame.ts';
import { tickLabel } from '../figures/scale.ts';
import { count, metricName, score, signed, signedInterval, verdictGlyph } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, type Page, panel, scroller, section } from '../page.ts';
import type { Standings } from '../standings.ts';
import { verdictTitle } from '../tables.ts';

type Pair = { corpus: string; view: string; metric: string; a: string; b: string };

/** The per-query differences of every pair, a row each; `present` says which pairs have their queries listed below. */
export function differences(page: Page, present: ReadonlySet<string>): Markup {
  const { standings, files } = page;
  const budget = new Budget(900_000);
  const groups = groupsOf(standings.results.differences, standings);
  const rows = budget.takeFairly(groups, (shape) => differenceTableRow(standings, shape, present));
  const panels = groups.map(
    (shapes, index) => rows[index]!.length > 0 && panel(shapes[0]!, differenceTable(shapes[0]!, rows[index]!)),
  );
  return section(page, {
    id: 'differences',
    title: 'Query by query',
    csv: files.differences,
    lead: html`A mean hides how often a system wins. Each row is one pair: the queries it wins, ties and loses, the spread of the differences (ties not drawn; the bar below spans the middle half), and quantiles (more of them in the CSV).`,
    body: [panels, budget.note('pairs', files.differences)],
  });
}

function differenceTable({ corpus, view, metric }: Pair, rows: Markup[]): Markup {
  const scale = differenceScale();
  const axis = svg(220, 20, 'axis: difference of one query', [
    scale.ticks.map(
      (tick) =>
        html`<path class="axis" d="M${fixed(scale(tick))},15v5"/><text class="tick" x="${fixed(scale(tick))}" y="11" text-anchor="middle">${tickLabel(tick, scale.ticks)}</text>`,
    ),
  ]);
  const name = metricName(metric);
  return scroller(
    `Per-query differences, ${corpus}, ${view}, ${name}`,
    html`<table class="pairs"><caption>Differences of one query in ${name}, A minus B</caption><thead><tr><th scope="col">A against B</th><th scope="col" class="num">mean</th><th scope="col" class="num">wins</th><th scope="col" class="num">ties</th><th scope="col" class="num">losses</th><th scope="col" class="axis-head">${axis}</th><th scope="col" class="num">5 %</th><th scope="col" class="num">median</th><th scope="col" class="num">95 %</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function differenceTableRow(standings: Standings, shape: DifferenceShape, present: ReadonlySet<string>): Markup {
  const { corpus, view, metric, a, b, bins, wins, ties, losses, quantiles } = shape;
  const pair = standings.compare(corpus, view, metric, a, b);
  const mean =
    pair === undefined
      ? html`<td class="num quiet">–</td>`
      : html`<td class="num ${pair.verdict}" title="${verdictTitle(pair)}">${verdictGlyph[pair.verdict]} ${signed(pair.difference)} <span class="ci under">${signedInterval(pair)}</span></td>`;
  const id = pairAnchor(shape);
  const name = html`${a} <span class="under"><span class="quiet">against</span> ${b}</span>`;
  const at = (q: number) => quantiles.find((quantile) => Math.abs(quantile.q - q) < 1e-9)?.value;
  return html`<tr><th scope="row">${present.has(id) ? html`<a href="#${id}" title="its largest wins and losses">${name}</a>` : name}</th>${mean}<td class="num">${count(wins)}</td><td class="num quiet">${count(ties)}</td><td class="num">${count(losses)}</td><td>${differenceRow(bins, ties, quantiles)}</td>${[0.05, 0.5, 0.95].map((q) => html`<td class="num">${signed(at(q) ?? Number.NaN)}</td>`)}</tr>\n`;
}

/** The largest wins and losses; also tells which pairs are listed, for the links above. */
export function winsLosses(page: Page): { markup: Markup; present: Set<string> } {
  const { standings, files } = page;
  const budget = new Budget(1_500_000);
  const present = new Set<string>();
  const groups = groupsOf(standings.results.winsLosses, standings);
  const listed = budget.takeFairly(groups, pairDetails, (pair) => present.add(pairAnchor(pair)));
  const panels = groups.map((pairs, index) => listed[index]!.length > 0 && panel(pairs[0]!, listed[index]!));
  const markup = section(page, {
    id: 'wins-losses',
    title: 'Largest wins and losses',
    csv: files.winsLosses,
    lead: html`The queries on which a pair differs most, with the cited document that the two rank most differently. “–” means not found within the depth of the run.`,
    body: [panels, budget.note('pairs', files.winsLosses)],
  });
  return { markup, present };
}

function pairDetails(pair: WinLoss): Markup {
  const { a, b, wins, losses, metric } = pair;
  return html`<details id="${pairAnchor(pair)}"><summary>${a} <span class="quiet">against</span> ${b} <span class="quiet">(${count(wins.length)} wins, ${count(losses.length)} losses)</span></summary>${[
    wins.length > 0 && rowsTable(wins, pair, `Largest wins of ${a} over ${b}, ${metricName(metric)}`),
    losses.length > 0 && rowsTable(losses, pair, `Largest losses of ${a} to ${b}, ${metricName(metric)}`),
  ]}</details>\n`;
}

function rowsTable(rows: WinLossRow[], { a, b }: WinLoss, caption: string): Markup {
  return scroller(
    caption,
    html`<table class="patents"><caption>${caption}</caption><thead><tr><th scope="col">Query</th><th scope="col" class="num" title="${a}">A</th><th scope="col" class="num" title="${b}">B</th><th scope="col" class="num" title="best rank of a cited document under A">rank A</th><th scope="col" class="num" title="best rank of a cited document under B">rank B</th><th scope="col">Cited document ranked most differently</th><th scope="col" class="num">by A</th><th scope="col" class="num">by B</th></tr></thead><tbody>${rows.map(
      (row) =>
        html`<tr><td>${patent(row.query, row.title)}</td><td class="num">${score(row.a)}</td><td class="num">${score(row.b)}</td><td class="num">${rank(row.rankA)}</td><td class="num">${rank(row.rankB)}</td><td>${row.document && patent(row.document.id, row.document.title)}</td><td class="num">${row.document && rank(row.document.rankA)}</td><td class="num">${row.document && rank(row.document.rankB)}</td></tr>\n`,
    )}</tbody></table>`,
  );
}

const longestTitle = 160;

function patent(id: string, title: string): Content {
  const points = [...title];
  const text = points.length > longestTitle ? `${points.slice(0, longestTitle - 1).join('')}…` : title;
  return html`<b>${id}</b> ${text === '' ? html`<span class="quiet">no title</span>` : text}`;
}

function rank(value: number | undefined): string {
  return value === undefined ? '–' : count(value);
}

/** Names may differ only in signs that an id cannot hold, so the id is a hash. */
function pairAnchor({ corpus, view, metric, a, b }: Pair): string {
  return `pair-${murmur3(JSON.stringify([corpus, view, metric, a, b])).toString(36)}`;
}

/** By corpus x view x metric; the pairs of the best system first, then those of BM25, so that a budget keeps them. */
function groupsOf<T extends Pair>(pairs: readonly T[], standings: Standings): T[][] {
  const groups = new Map<string, T[]>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.corpus, pair.view, pair.metric]);
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  return [...groups.values()].map((members) => {
    const { corpus, view } = members[0]!;
    const group = standings.group(corpus, view);
    const names = group?.cells.map(systemName) ?? [];
    const weight = (pair: T) => {
      const places = [names.indexOf(pair.a), names.indexOf(pair.b)].map((place) => (place < 0 ? names.length : place));
      return Math.min(...places) * 1000 + Math.max(...places);
    };
    return members.toSorted((a, b) => weight(a) - weight(b));
  });
}
