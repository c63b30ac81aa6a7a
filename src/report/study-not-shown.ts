/** What the study does not show, by name: signals that a corpus lacks, models that could not run, what was not tried or is thin. */
import { tasks } from '../study/results.ts';
import { capital, listOf, plural } from './format.ts';
import { type Content, html } from './markup.ts';
import type { StudyPage } from './study-html.ts';

export function studyNotShown({ results }: StudyPage): Content[] {
  return [
    ...results.absent.map(
      ({ corpus, recipe, reason }) => html`<b>Signal absent.</b> ${recipe} on ${corpus}: ${reason}.`,
    ),
    ...results.missingModels.map(({ model, reason }) => html`<b>Model not run.</b> ${model}: ${reason}.`),
    ...(results.cells.done < results.cells.total
      ? [
          html`<b>Not finished.</b> ${results.cells.total - results.cells.done} of ${plural(results.cells.total, 'cell')}.`,
        ]
      : []),
    ...(results.rows.some(({ tentative }) => tentative)
      ? [
          html`<b>Few seeds.</b> Trained systems marked * have fewer than 5: how much another training would differ is hardly known, and their verdicts are tentative.`,
        ]
      : []),
    ...(results.systems.some(({ role }) => role === 'control')
      ? []
      : [
          html`<b>No shuffled control.</b> What training gains from the texts alone, without any signal, was not measured.`,
        ]),
    ...(results.corpora.length < 2
      ? [html`<b>Transfer.</b> There is one corpus: whether anything carries to another landscape was not tried.`]
      : results.transfer.some(({ from, to }) => from !== to)
        ? []
        : [html`<b>Transfer.</b> No trained system was evaluated on another corpus.`]),
    ...(tasks.length > results.tasks.length
      ? [
          html`<b>Other tasks.</b> ${capital(listOf(results.tasks))} alone ${results.tasks.length === 1 ? 'was' : 'were'} measured; ${listOf(tasks.filter((task) => !results.tasks.includes(task)))} may rank the recipes otherwise.`,
        ]
      : []),
    ...results.corpora.flatMap(({ name, lacks }) =>
      lacks.map(({ task, reason }) => html`<b>Signal absent.</b> ${capital(task)} on ${name}: ${reason}.`),
    ),
    ...(results.tasks.includes('retrieval')
      ? [html`<b>Relevance is citation.</b> A document that nobody cited is not thereby irrelevant.`]
      : []),
  ];
}
