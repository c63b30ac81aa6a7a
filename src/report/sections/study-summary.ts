/** What can be said of a study. */
import { html, type Markup } from '../markup.ts';
import { section } from '../page.ts';
import type { StudyPage } from '../study-html.ts';
import { studySentences } from '../study-sentences.ts';

export function studySummary(page: StudyPage): Markup {
  return section(page, {
    id: 'summary',
    title: 'What can be said',
    body: html`${studySentences(page).map((sentence) => html`<p>${sentence}</p>\n`)}`,
  });
}
