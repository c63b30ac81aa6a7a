/** Recipes against one another, against their control and against no training: on the corpus they learnt from. */
import { cornerLabel } from '../../study/embedding/evaluations.ts';
import type { StudyCorner } from '../../study/embedding/results.ts';
import { type Content, html } from '../markup.ts';
import { Budget, panel, scroller, section } from '../page.ts';
import { type StudyPage, studyFiles } from '../study-html.ts';
import { pairCells } from '../tables.ts';

export function recipes(page: StudyPage): Content {
  const { results } = page;
  const budget = new Budget(700_000);
  const models = [...new Set(results.systems.flatMap(({ model }) => model ?? []))];
  const panels = results.corners.flatMap((corner) => {
    const { matched } = results.corpora.find(({ name }) => name === corner.corpus)!;
    return models.map((model) => {
      const body = matrix(page, corner, model);
      const place = { corpus: corner.corpus, view: cornerLabel(corner) };
      return body && budget.take(panel(place, [html`<p class="lead">${model}. ${matched}</p>`, body]));
    });
  });
  if (!panels.some(Boolean)) return undefined;
  const lead = results.matched
    ? 'Row minus column. Every recipe had the same number of pairs, steps, batch size and seeds, so that nothing but the signal differs; shuffled pairs show what the texts alone are worth.'
    : html`<b>The recipes are not matched</b>: more data may pass for a better recipe. ${results.differences.join('; ')}.`;
  return section(page, {
    id: 'recipes',
    title: 'Recipes and controls',
    csv: studyFiles.comparisons,
    lead,
    body: [panels, budget.note('matrices', studyFiles.comparisons)],
  });
}

function matrix(page: StudyPage, corner: StudyCorner, model: string): Content {
  const { results } = page;
  const { corpus } = corner;
  const there = new Set(page.rows(corner).map(({ system }) => system));
  const systems = results.systems.filter(
    ({ name, role, model: own, trainedOn }) =>
      there.has(name) &&
      own === model &&
      (role === 'start' || ((role === 'recipe' || role === 'control') && trainedOn === corpus)),
  );
  if (systems.length < 2) return undefined;
  const title = `Recipes on ${corpus}, ${cornerLabel(corner)}, ${model}`;
  const label = ({ role, recipe }: (typeof systems)[number]) => (role === 'start' ? 'not trained' : recipe!);
  return scroller(
    title,
    html`<table class="matrix"><caption class="sr">${title}: row minus column</caption><thead><tr><td></td>${systems.map((system) => html`<th scope="col">${label(system)}</th>`)}</tr></thead><tbody>${systems.map(
      (row) =>
        html`<tr><th scope="row">${label(row)}</th>${pairCells(row, systems, (a, b) => page.compare(corner, a.name, b.name), 'resampled')}</tr>\n`,
    )}</tbody></table>`,
  );
}
