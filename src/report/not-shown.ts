/** What an evaluation does not show, by name: tasks, views and trainings nobody tried, signals the corpus lacks. */
import { tasks } from '../study/results.ts';
import { capital, listOf } from './format.ts';
import { type Content, html } from './markup.ts';
import type { Standings } from './standings.ts';

export function notShownOf({ results, views }: Standings, done: ReadonlySet<string>): Content[] {
  const open = tasks.filter((task) => !done.has(task));
  const absent = [...Map.groupBy(results.absentStrata, ({ corpus }) => corpus)];
  return [
    open.length > 0 &&
      html`<b>Other tasks.</b> ${capital(listOf(open))} ${open.length === 1 ? 'was' : 'were'} not evaluated, and may order the systems otherwise.`,
    views.length === 1 && html`<b>Other texts.</b> Only the view ${views[0]} was read.`,
    html`<b>Fine-tuning.</b> Models were taken as they are; whether training on your patents helps is for <code>patentlab study</code>.`,
    absent.map(
      ([corpus, all]) =>
        html`<b>Signal absent.</b> ${corpus}: ${listOf(all.map(({ by, reason }) => `${by} (${reason})`))}. `,
    ),
    done.has('retrieval') &&
      html`<b>Relevance is citation.</b> A document that nobody cited is not thereby irrelevant: <a href="#caveats">what these figures do not say</a>.`,
    html`<b>Other landscapes.</b> The verdicts hold for these patents; another landscape may order the systems otherwise.`,
  ].filter((item) => item !== false && !(Array.isArray(item) && item.length === 0));
}
