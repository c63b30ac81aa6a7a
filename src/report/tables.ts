/** Parts that the tables of all pages share: heads that sort, verdicts with the rest on hover, all pairs, lists of facts. */
import type { Comparison } from '../metrics/types.ts';
import { count, pPhrase, score, signed, signedInterval, verdictGlyph } from './format.ts';
import { type Content, html, type Markup } from './markup.ts';
import { scroller } from './page.ts';

/** The head of a column by which a reader may sort. */
export function sortable(name: string, number = false, sorted: 'none' | 'descending' = 'none'): Markup {
  return html`<th scope="col"${number && html` class="num"`} aria-sort="${sorted}"><button type="button">${name}</button></th>`;
}

/** `sample`: what was resampled. */
export function verdictTitle(pair: Comparison, sample = 'queries'): string {
  return `${pair.a} against ${pair.b}: ${pair.verdict}${pair.tentative ? ' (tentative: fewer than 5 seeds)' : ''}, difference ${signed(pair.difference)} ${signedInterval(pair)}, ${pPhrase(pair.pHolm, 'Holm p')} (${pPhrase(pair.p, 'p')}), detectable ${score(pair.detectable)}, ${count(pair.queries)} ${sample}`;
}

interface VerdictOptions {
  sample?: string;
  /** More attributes of the cell. */
  at?: Content;
  /** After the difference. */
  more?: Content;
}

/** A difference with its verdict, in a column that sorts by it; the rest on hover. */
export function verdictCell(pair: Comparison, { sample, at, more }: VerdictOptions = {}): Markup {
  return html`<td class="num ${pair.verdict}"${at} data-sort="${pair.difference}" title="${verdictTitle(pair, sample)}">${verdictGlyph[pair.verdict]}<span class="sr"> ${pair.verdict}</span> ${signed(pair.difference)}${more}</td>`;
}

/** `best` where `pair` is of the best with itself. */
export function toBest(pair: Comparison | 'best' | undefined, sample: string): Markup {
  if (pair === 'best') return html`<td class="num quiet" data-sort="0">best</td>`;
  if (pair === undefined) return html`<td class="num quiet" data-sort="" title="not tested">–</td>`;
  return verdictCell(pair, { sample });
}

/** One row of a matrix: `row` minus every column. */
export function pairCells<T>(
  row: T,
  columns: readonly T[],
  compare: (row: T, column: T) => Comparison | undefined,
  sample?: string,
): Markup[] {
  return columns.map((column) => {
    if (row === column) return html`<td class="quiet">·</td>`;
    const pair = compare(row, column);
    if (pair === undefined) return html`<td class="quiet" title="not tested">–</td>`;
    return html`<td class="num ${pair.verdict}" title="${verdictTitle(pair, sample)}">${verdictGlyph[pair.verdict]} ${signed(pair.difference)}</td>`;
  });
}

interface PairMatrix<T> {
  label: string;
  caption: Content;
  rows: readonly T[];
  nameOf: (row: T) => string;
  /** In the head of the row. */
  link: (row: T) => Content;
  compare: (row: T, column: T) => Comparison | undefined;
  sample?: string;
}

/** Every pair, row minus column; columns bear the numbers of the rows. */
export function pairMatrix<T>({ label, caption, rows, nameOf, link, compare, sample }: PairMatrix<T>): Markup {
  const body = rows.map(
    (row, position) =>
      html`<tr><th scope="row"><span class="quiet">${position + 1}</span> ${link(row)}</th>${pairCells(row, rows, compare, sample)}</tr>\n`,
  );
  const heads = rows.map(
    (row, position) =>
      html`<th scope="col" title="${nameOf(row)}"><span class="sr">${nameOf(row)} </span>${position + 1}</th>`,
  );
  return scroller(
    label,
    html`<table class="matrix"><caption>${caption}</caption><thead><tr><td></td>${heads}</tr></thead><tbody>${body}</tbody></table>`,
  );
}

/** Facts by name. */
export function factList(facts: readonly (readonly [name: string, fact: Content])[]): Markup {
  return html`<dl class="facts">${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl>`;
}
