/** Classification in detail: reliability, labels, levels of the hierarchy, thresholds and convergence, what was left out. */
import {
  type ClassificationCell,
  classifierName,
  type LabelCard,
  type LabelRow,
} from '../../study/classification/results.ts';
import { classificationFiles } from '../classification-csv.ts';
import { classifierGroups, classifierOrder } from '../classification-standings.ts';
import { distinct } from '../figures/frame.ts';
import { reliability } from '../figures/reliability.ts';
import { count, percent, plural, score, withInterval } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, figure, linked, type Page, panel, scroller, section } from '../page.ts';
import { factList, sortable } from '../tables.ts';

export function classifierReliability(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  const order = classifierOrder(results);
  const budget = new Budget(400_000);
  const panels = classifierGroups(results).map(({ corpus, view, cells }) => {
    const drawn = cells.slice(0, distinct);
    const title = `Reliability, ${corpus}, ${view}`;
    const series = drawn.map((cell) => ({
      name: `${classifierName(cell)}, ECE ${score(cell.metrics.ece?.value ?? Number.NaN)}`,
      index: order.indexOf(classifierName(cell)),
      bins: cell.reliability,
    }));
    const more = cells.length - drawn.length;
    const picture = figure(title, reliability({ title, series }), more > 0 && `${count(more)} more in the CSV.`);
    return budget.take(panel({ corpus, view }, picture));
  });
  return section(page, {
    id: 'reliability',
    title: 'Are probabilities kept?',
    csv: classificationFiles.reliability,
    lead: 'Decisions of all documents and labels (where documents have one label: the likeliest one) by the probability given; on the diagonal as many come true as promised. Most labels are absent from most documents, so that most decisions are easy and the ECE is small for that reason: compare classifiers by it, not corpora. k-NN gives shares of neighbours.',
    body: [panels, budget.note('panels', classificationFiles.reliability)],
  });
}

/** Rows of a label table at either end. */
const ends = 10;

export function labelTables(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  const budget = new Budget(500_000);
  const panels = classifierGroups(results).map(({ corpus, view, best }) => {
    const sorted = best.perLabel.toSorted((a, b) => b.f1 - a.f1 || b.support - a.support);
    const short = sorted.length <= 2 * ends;
    return budget.take(
      panel({ corpus, view }, [
        labelTable(
          short ? sorted : sorted.slice(0, ends),
          best,
          short ? 'All labels' : `The ${ends} labels of highest F1`,
        ),
        !short && labelTable(sorted.slice(-ends), best, `The ${ends} of lowest`),
      ]),
    );
  });
  return section(page, {
    id: 'labels',
    title: 'Label by label',
    csv: classificationFiles.labels,
    lead: 'The classifier of highest micro-F1 in each panel; all labels of all classifiers are in the CSV.',
    body: [panels, budget.note('panels', classificationFiles.labels)],
  });
}

function labelTable(rows: readonly LabelRow[], cell: ClassificationCell, what: string): Markup {
  const tuned = rows.some(({ tunedF1 }) => tunedF1 !== undefined);
  const numbers: [string, (row: LabelRow) => string][] = [
    ['train', ({ train }) => count(train)],
    ['test', ({ support }) => count(support)],
    ['predicted', ({ predicted }) => count(predicted)],
    ['precision', ({ precision }) => score(precision)],
    ['recall', ({ recall }) => score(recall)],
    ['F1', ({ f1 }) => score(f1)],
    ...(tuned
      ? ([
          ['F1, tuned', ({ tunedF1 = Number.NaN }) => score(tunedF1)],
          ['threshold', ({ threshold = Number.NaN }) => score(threshold)],
        ] as [string, (row: LabelRow) => string][])
      : []),
    ['average precision', ({ averagePrecision }) => score(averagePrecision)],
  ];
  return scroller(
    `${what} of ${classifierName(cell)}, ${cell.corpus}, ${cell.view}`,
    html`<table class="sortable"><caption>${what}, ${linked(cell, classifierName(cell))}</caption><thead><tr>${sortable('Label')}${numbers.map(([name]) => sortable(name, true))}</tr></thead><tbody>${rows.map(
      (row) =>
        html`<tr><th scope="row">${row.label}</th>${numbers.map(([, tell]) => html`<td class="num">${tell(row)}</td>`)}</tr>\n`,
    )}</tbody></table>`,
  );
}

export function levelTables(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.every(({ levels }) => levels.length === 0)) return undefined;
  const budget = new Budget(300_000);
  const panels = classifierGroups(results).map(({ corpus, view, cells }) => {
    const columns = cells[0]!.levels;
    if (columns.length === 0) return undefined;
    const rows = cells.map(
      (cell) =>
        html`<tr><th scope="row">${linked(cell, classifierName(cell))}</th>${cell.levels.map(({ microF1, macroF1 }) => html`<td class="num" title="${withInterval(microF1)}">${score(microF1.value)}</td><td class="num" title="${withInterval(macroF1)}">${score(macroF1.value)}</td>`)}</tr>\n`,
    );
    return budget.take(
      panel(
        { corpus, view },
        scroller(
          `Levels, ${corpus}, ${view}`,
          html`<table><caption>Micro- and macro-F1 by level, intervals on hover</caption><thead><tr><th scope="col">Classifier</th>${columns.map(({ level, labels, thresholds }) => html`<th scope="col" class="num">${level} (${count(labels)}), ${thresholds}: micro</th><th scope="col" class="num">macro</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
        ),
      ),
    );
  });
  return section(page, {
    id: 'levels',
    title: 'Level by level',
    csv: classificationFiles.levels,
    lead: 'The same predictions with every code cut to a coarser level of the hierarchy: how often a wrong code is at least of the right class or section. Nothing was trained on those levels.',
    body: [panels, budget.note('panels', classificationFiles.levels)],
  });
}

export function trainingTables(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined || results.cells.length === 0) return undefined;
  const budget = new Budget(300_000);
  const panels = classifierGroups(results).map(({ corpus, view, cells }) => {
    const rows = cells.map(
      (cell) =>
        html`<tr><th scope="row">${linked(cell, classifierName(cell))}</th><td class="num">${thresholdsOf(cell)}</td><td class="num">${cell.sharedThresholds === undefined ? '–' : `${count(cell.sharedThresholds)} of ${count(cell.labels)}`}</td><td>${convergence(cell)}</td></tr>\n`,
    );
    const warnings = cells.flatMap((cell) =>
      (cell.convergence?.warnings ?? []).map((warning) => html`<li>${classifierName(cell)}: ${warning}.</li>`),
    );
    return budget.take(
      panel({ corpus, view }, [
        scroller(
          `Thresholds and convergence, ${corpus}, ${view}`,
          html`<table><caption>Thresholds and convergence</caption><thead><tr><th scope="col">Classifier</th><th scope="col" class="num">tuned thresholds: lowest, median, highest</th><th scope="col" class="num">labels with the shared one</th><th scope="col">training</th></tr></thead><tbody>${rows}</tbody></table>`,
        ),
        warnings.length > 0 && html`<ul class="warnings">${warnings}</ul>`,
      ]),
    );
  });
  return section(page, {
    id: 'trainings',
    title: 'Thresholds and convergence',
    csv: classificationFiles.labels,
    lead: 'The fixed threshold is 0.5 (k-NN: more than half of the neighbours). A label with fewer than 10 test documents in the folds it is tuned on shares one threshold with other such labels.',
    body: [panels, budget.note('panels', classificationFiles.labels)],
  });
}

function thresholdsOf({ perLabel }: ClassificationCell): string {
  const values = perLabel
    .flatMap(({ threshold }) => (threshold === undefined ? [] : [threshold]))
    .sort((a, b) => a - b);
  if (values.length === 0) return '–';
  return [values[0]!, values[values.length >> 1]!, values.at(-1)!].map(score).join(', ');
}

function convergence({ convergence: report, probe }: ClassificationCell): Content {
  if (report === undefined) return html`<span class="quiet">nothing to train</span>`;
  const { converged, iterations, problems, unconverged } = report;
  if (probe === 'logistic')
    return converged
      ? `converged, at most ${plural(iterations, 'iteration')}`
      : html`<b>not converged</b> for ${count(unconverged)} of ${plural(problems, 'problem')} in ${plural(iterations, 'iteration')}`;
  return converged
    ? `stopped early, ${plural(iterations, 'epoch')}`
    : html`<b>not finished</b> after ${plural(iterations, 'epoch')}`;
}

export function labelCards(page: Page): Content {
  const results = page.standings.results.classification;
  if (results === undefined) return undefined;
  return section(page, {
    id: 'label-data',
    title: 'Labels',
    lead: 'What was to be predicted, and what was left out.',
    body: results.labelCards.map((card) => panel({ corpus: card.corpus }, facts(card))),
  });
}

function facts({ field, level, kind, split, least, documents, testFamilies, labels, perDocument }: LabelCard): Markup {
  const source = field === 'labels' ? 'the user’s own' : `${field.toUpperCase()}, cut to ${level}`;
  const rows: [string, Content][] = [
    ['Labels', `${source}; ${kind === 'multi-class' ? 'every document has one' : 'documents may have several'}`],
    [
      'Kept',
      `${count(labels.kept)} of ${count(labels.found)}; left out: ${count(labels.rare)} with fewer than ${least} training documents, ${count(labels.untested)} that no test document has`,
    ],
    ['A document', `${perDocument.mean.toFixed(2)} labels in the mean, at most ${count(perDocument.most)}`],
    [
      'Documents',
      `${count(documents.train)} to learn from, ${count(documents.test)} scored (${plural(testFamilies, 'family', 'families')})`,
    ],
    [
      'Not used',
      `${count(documents.unlabelled)} of ${count(documents.all)} without a label (${percent(documents.unlabelled / Math.max(1, documents.all))}), ${count(documents.emptied)} whose labels were all left out, ${count(documents.unsplit)} in no part of the split`,
    ],
    ['Split', split],
  ];
  return factList(rows);
}
