/** The transfer matrix: trained on the row's corpus, evaluated on the column's, as the difference to the model it began as. */
import type { TransferCell } from '../../study/embedding/results.ts';
import { plural, signedInterval } from '../format.ts';
import { type Content, html } from '../markup.ts';
import { Budget, scroller, section } from '../page.ts';
import { type StudyPage, studyFiles } from '../study-html.ts';
import { placeLabel, studyVerdict } from './study-standings.ts';

export function transfer(page: StudyPage): Content {
  const { results } = page;
  const cells = results.transfer.filter(({ role }) => role === 'recipe' || role === 'control');
  if (cells.length === 0) return undefined;
  const budget = new Budget(700_000);
  const tables = [...Map.groupBy(cells, (cell) => JSON.stringify([cell.model, placeLabel(cell)])).values()].map((own) =>
    budget.take(
      matrix(
        results.corpora.map(({ name }) => name),
        own,
      ),
    ),
  );
  return section(page, {
    id: 'transfer',
    title: 'Transfer',
    csv: studyFiles.transfer,
    lead: html`Rows: what a model was trained on. Columns: what it was evaluated on. Each value is the difference to the same model before training, on the column's held-out patents; in bold where training and test are of one landscape. ▼ marks where fine-tuning hurts.`,
    body: [hurts(cells), tables, budget.note('matrices', studyFiles.transfer)],
  });
}

function matrix(columns: readonly string[], cells: readonly TransferCell[]) {
  const { model } = cells[0]!;
  const view = placeLabel(cells[0]!);
  const rows = [...Map.groupBy(cells, ({ from, recipe }) => JSON.stringify([from, recipe])).values()];
  return html`<h3>${model} · ${view}</h3>${scroller(
    `Transfer of ${model}, ${view}`,
    html`<table class="matrix"><caption>difference to the model before training</caption><thead><tr><th scope="col">trained on</th><th scope="col">recipe</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows.map(
      (row) =>
        html`<tr><th scope="row">${row[0]!.from}</th><th scope="row">${row[0]!.recipe}</th>${columns.map((column) => {
          const cell = row.find(({ to }) => to === column);
          if (cell === undefined) return html`<td class="quiet">–</td>`;
          const own = html` <span class="ci">${signedInterval(cell.comparison)}</span>${cell.from === column && html` <b>own</b>`}`;
          return studyVerdict(cell.comparison, own);
        })}</tr>\n`,
    )}</tbody></table>`,
  )}\n`;
}

/** One sentence: where fine-tuning is shown to hurt, gain, or neither. */
function hurts(cells: readonly TransferCell[]): Content {
  const trained = cells.filter(({ role }) => role === 'recipe');
  const away = trained.filter(({ from, to }) => from !== to);
  const told = (of: readonly TransferCell[], where: string) => {
    const tally = (verdict: string) => of.filter(({ comparison }) => comparison.verdict === verdict).length;
    return `${where}, of ${plural(of.length, 'comparison')} of trained systems with their start ${tally('better')} read better, ${tally('worse')} worse, ${tally('equivalent')} equivalent, ${tally('undecided')} undecided.`;
  };
  const worse = away.filter(({ comparison }) => comparison.verdict === 'worse');
  return html`<p>${told(
    trained.filter(({ from, to }) => from === to),
    'On the landscape they learnt from',
  )} ${away.length > 0 && told(away, 'On other landscapes')} ${
    worse.length > 0 &&
    html`Fine-tuning hurts: ${worse.map((cell, at) => html`${at > 0 && '; '}${cell.system}, evaluated on ${cell.to} (${placeLabel(cell)})`)}.`
  }</p>`;
}
