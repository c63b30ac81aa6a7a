/** What the numbers were measured on: sources, sizes, languages, citations, and what was left out and why. */
import type { DataCard } from '../../study/results.ts';
import { yearBars } from '../figures/bars.ts';
import { bytes, count, percent, plural } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { figure, type Page, panel, scroller, section } from '../page.ts';
import { factList } from '../tables.ts';

export function dataCards(page: Page): Markup {
  return section(page, {
    id: 'data',
    title: 'Data',
    body: page.standings.results.dataCards.map((card) => panel({ corpus: card.corpus }, dataCard(page, card))),
  });
}

function dataCard({ standings }: Page, card: DataCard): Content {
  const { citations, queries, judgements, families } = card;
  const revision = standings.results.cells.find((cell) => cell.corpus === card.corpus)?.manifest.corpus;
  const facts: [string, Content][] = [
    ['Documents', `${count(card.documents)}${card.invented ? ', invented' : ''}`],
    ['Corpus', revision && html`<code>${revision.hash.slice(0, 12)}</code>, revision ${revision.revision}`],
    [
      'Queries',
      queries &&
        html`${count(queries.used)} of ${plural(queries.candidates, 'candidate')}${
          queries.dropped.length > 0 &&
          html`; left out: ${queries.dropped.map((drop) => `${count(drop.count)} (${drop.reason})`).join(', ')}`
        }`,
    ],
    [
      'Relevant documents',
      judgements &&
        `${count(judgements.relevant)}; per query ${count(judgements.medianPerQuery)} in the median, at most ${count(judgements.maxPerQuery)}`,
    ],
    [
      'Citations',
      `${count(citations.total)}; ${count(citations.resolved)} resolved to a document inside, ${count(citations.unresolved)} not, ${count(citations.ambiguous)} ambiguous`,
    ],
    [
      'Recall ceiling',
      citations.recallCeiling !== undefined &&
        `${percent(citations.recallCeiling)} of the citations of the queries lie inside the corpus; no system can find the rest, and recall is counted on those inside`,
    ],
    [
      'Families',
      families.known > 0
        ? `${count(families.known)} known${families.inferred ? ', others inferred from shared titles and dates' : ''}`
        : families.inferred
          ? 'none given; inferred'
          : 'none given; every patent counts as its own family',
    ],
    [
      'Languages',
      shares(
        card.languages.map(({ language, documents }) => [language, documents]),
        card.documents,
      ),
    ],
    [
      'Countries',
      shares(
        card.countries.map(({ country, documents }) => [country, documents]),
        card.documents,
      ),
    ],
  ];
  const title = `Documents by year, ${card.corpus}`;
  return html`${factList(facts.filter(([, fact]) => fact))}
${card.years.length > 1 && figure(title, yearBars({ title, years: card.years }))}
${scroller(
  `Sources of ${card.corpus}`,
  html`<table><caption>Sources</caption><thead><tr><th scope="col">File</th><th scope="col" class="num">rows</th><th scope="col" class="num">rejected</th><th scope="col" class="num">size</th><th scope="col">SHA-256</th></tr></thead><tbody>${card.sources.map(
    (source) =>
      html`<tr><th scope="row">${source.file.split(/[\\/]/).at(-1)}</th><td class="num">${count(source.rows)}</td><td class="num">${count(source.rejected)}</td><td class="num">${bytes(source.bytes)}</td><td><code class="hash">${source.sha256}</code></td></tr>`,
  )}</tbody></table>`,
)}
${scroller(
  `Lengths of ${card.corpus}`,
  html`<table><caption>Text, in characters</caption><thead><tr><th scope="col">Field</th><th scope="col" class="num">present</th><th scope="col" class="num">share</th><th scope="col" class="num">median</th><th scope="col" class="num">90th percentile</th></tr></thead><tbody>${card.lengths.map(
    (row) =>
      html`<tr><th scope="row">${row.field}</th><td class="num">${count(row.present)}</td><td class="num">${percent(row.present / Math.max(1, card.documents))}</td><td class="num">${count(row.median)}</td><td class="num">${count(row.p90)}</td></tr>`,
  )}</tbody></table>`,
)}`;
}

/** The largest shares by name, the rest summed. */
function shares(rows: [string, number][], documents: number): string {
  const sorted = rows.toSorted((a, b) => b[1] - a[1]);
  const told = sorted.slice(0, 10).map(([name, number]) => `${name} ${percent(number / Math.max(1, documents))}`);
  const rest = sorted.slice(10);
  if (rest.length > 0) {
    const sum = rest.reduce((total, [, number]) => total + number, 0);
    told.push(`${rest.length} others ${percent(sum / Math.max(1, documents))}`);
  }
  return told.join(', ');
}
