/** Remedies beside what they mend: what each keeps of the gain at home, and of the loss away. */
import type { TransferCell } from '../../study/embedding/results.ts';
import { type Content, html } from '../markup.ts';
import { Budget, scroller, section } from '../page.ts';
import { type StudyPage, studyFiles } from '../study-html.ts';
import { placeLabel, studyVerdict } from './study-standings.ts';

const isRemedy = ({ role }: TransferCell) => role === 'interpolate' || role === 'lora-scale' || role === 'mixed';

export function remedies(page: StudyPage): Content {
  const { results } = page;
  const remedied = new Set(results.transfer.filter(isRemedy).map(({ recipe }) => recipe));
  if (remedied.size === 0) return undefined;
  const cells = results.transfer.filter((cell) => remedied.has(cell.recipe) && cell.role !== 'control');
  const columns = results.corpora.map(({ name }) => name);
  const budget = new Budget(700_000);
  const tables = [
    ...Map.groupBy(cells, (cell) => JSON.stringify([cell.model, placeLabel(cell), cell.recipe])).values(),
  ].map((own) => budget.take(table(columns, own)));
  return section(page, {
    id: 'remedies',
    title: 'Remedies',
    csv: studyFiles.transfer,
    lead: 'Differences to the model before training. Interpolation takes weights between the start (0) and the tuned model (1); an adapter scaled down is the same for LoRA; mixed training learns from all corpora with as many pairs and steps as from one. Nothing was chosen: every setting is shown.',
    body: [tables, budget.note('tables', studyFiles.transfer)],
  });
}

function table(columns: readonly string[], cells: readonly TransferCell[]) {
  const { model, recipe } = cells[0]!;
  const view = placeLabel(cells[0]!);
  const rows = [...Map.groupBy(cells, ({ system }) => system).values()].toSorted(
    ([a], [b]) => a!.from.localeCompare(b!.from, 'en') || kept(b!) - kept(a!),
  );
  return html`<h3>${model} · ${recipe} · ${view}</h3>${scroller(
    `Remedies of ${model}, ${recipe}, ${view}`,
    html`<table class="matrix"><caption>difference to the model before training</caption><thead><tr><th scope="col">trained on</th><th scope="col">remedy</th>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${rows.map(
      (row) =>
        html`<tr><th scope="row">${row[0]!.from}</th><th scope="row">${remedyName(row[0]!)}</th>${columns.map(
          (column) => {
            const cell = row.find(({ to }) => to === column);
            return cell === undefined ? html`<td class="quiet">–</td>` : studyVerdict(cell.comparison);
          },
        )}</tr>\n`,
    )}</tbody></table>`,
  )}\n`;
}

function kept({ weight }: TransferCell): number {
  return weight ?? 1;
}

function remedyName({ role, weight }: TransferCell): string {
  if (role === 'interpolate') return `${weight} of the way`;
  if (role === 'lora-scale') return `adapter × ${weight}`;
  return role === 'mixed' ? 'mixed training' : 'none: as tuned';
}
