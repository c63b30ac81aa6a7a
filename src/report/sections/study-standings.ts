/** Standings of a study: one table a corpus and view, every system with its interval and its distance to start and baseline. */
import type { Comparison } from '../../metrics/types.ts';
import { cornerLabel } from '../../study/embedding/evaluations.ts';
import type { StudyCorner, SystemRole, TransferCell } from '../../study/embedding/results.ts';
import { range, rangeAxis, rangeScale } from '../figures/ranges.ts';
import { interval, metricName, plural, score } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, panel, scroller, section } from '../page.ts';
import { type StudyPage, studyFiles } from '../study-html.ts';
import { sortable, verdictCell } from '../tables.ts';

const roleWords: Record<SystemRole, string> = {
  baseline: 'baseline',
  start: 'as it is',
  recipe: 'trained',
  control: 'control',
  interpolate: 'remedy',
  'lora-scale': 'remedy',
  mixed: 'remedy',
};

export function studyStandings(page: StudyPage): Markup {
  const { results } = page;
  const budget = new Budget(1_200_000);
  const panels = results.corners.map((corner) =>
    budget.take(panel({ corpus: corner.corpus, view: cornerLabel(corner) }, table(page, corner))),
  );
  return section(page, {
    id: 'standings',
    title: 'Standings',
    csv: studyFiles.standings,
    lead: `Held-out patents alone are searched, labelled and clustered. Intervals are 95 %, over families and, for trained systems, over seeds. ▲ better, ▼ worse, = equivalent within ±${results.margin}, ? undecided; Holm over all pairs that answer the same question (methods). * fewer than 5 seeds: tentative.`,
    body: [panels, budget.note('tables', studyFiles.standings)],
  });
}

function table(page: StudyPage, corner: StudyCorner): Content {
  const { results } = page;
  const { metric } = corner;
  const rows = page.rows(corner).toSorted((a, b) => b.metrics[metric]!.value - a.metrics[metric]!.value);
  if (rows.length === 0) return html`<p class="quiet">Nothing finished yet.</p>`;
  // BM25 has no vectors to cluster.
  const baseline = rows.some(({ system }) => system === 'bm25') ? 'bm25' : 'lsa';
  const scale = rangeScale(rows.map((row) => row.metrics[metric]!));
  const top = rows[0]!.metrics[metric]!.value;
  const body = rows.map((row) => {
    const system = page.system(row.system);
    const start = results.systems.find(({ role, model }) => role === 'start' && model === system.model)?.name;
    const estimate = row.metrics[metric]!;
    const seeds = row.seeds.map(({ seed, value }) => `seed ${seed}: ${score(value)}`).join(', ');
    const own = row.seeds[0]!.seed !== undefined;
    return html`<tr><th scope="row">${row.system}</th><td class="quiet">${roleWords[system.role]}</td><td class="num"${own && html` title="${seeds}"`}>${own ? `${row.seeds.length}${row.tentative ? '*' : ''}` : '–'}</td><td class="num" data-sort="${estimate.value}">${score(estimate.value)} <span class="ci">${interval(estimate)}</span></td><td>${range(scale, estimate, { metric, reference: top })}</td>${versus(page, corner, row.system, system.role === 'start' ? undefined : start)}${versus(page, corner, row.system, baseline)}</tr>\n`;
  });
  const heads: [string, boolean][] = [
    ['System', false],
    ['', false],
    ['seeds', true],
    [metricName(metric), true],
  ];
  return scroller(
    `Standings of ${corner.corpus}, ${cornerLabel(corner)}`,
    html`<table class="sortable"><caption>${sampleOf(corner)}</caption><thead><tr>${heads.map(([name, num]) => sortable(name, num))}<th class="axis-head">${rangeAxis(scale, metricName(metric))}</th>${sortable('to its start', true)}${sortable(`to ${baseline}`, true)}</tr></thead><tbody>${body}</tbody></table>`,
  );
}

function versus(page: StudyPage, corner: StudyCorner, a: string, b: string | undefined): Markup {
  const pair = b === undefined || a === b ? undefined : page.compare(corner, a, b);
  if (pair === undefined) return html`<td class="num quiet" data-sort="">–</td>`;
  return studyVerdict(pair);
}

/** `315 queries`, `200 documents`. */
export function sampleOf({ task, sample }: StudyCorner): string {
  return task === 'retrieval' ? plural(sample, 'query', 'queries') : plural(sample, 'document');
}

/** View, task and metric of a transfer cell in words. */
export function placeLabel({ to, view, task, probe, metric }: TransferCell): string {
  return `${cornerLabel({ corpus: to, view, task, ...(probe === undefined ? {} : { probe }) })}, ${metricName(metric)}`;
}

/** A difference of a study with its verdict. */
export function studyVerdict(pair: Comparison, more: Content = undefined): Markup {
  return verdictCell(pair, { sample: 'resampled', more });
}
