/** What can be said: per corpus the best view in full, the other views in a line each. */
import { html, type Markup } from '../markup.ts';
import { type Page, section } from '../page.ts';
import { rerankSentences } from '../rerank-sentences.ts';
import { detectableSentence, groupLine, groupSentences, viewSentence } from '../sentences.ts';
import { shown } from './advice.ts';

export function summary(page: Page): Markup {
  const { standings } = page;
  const body = standings.corpora.map((corpus) => {
    const top = standings.bestView(corpus);
    if (top === undefined) return undefined;
    const others = standings.groups.filter((group) => group.corpus === corpus && group !== top);
    return html`<h3>${corpus}, view ${top.view}</h3>
<p>${[...groupSentences(standings, top), ...rerankSentences(standings, top)].map((sentence) => html`${shown(sentence)} `)}</p>
<p>${detectableSentence(standings, top)} ${viewSentence(standings, top)}</p>
${
  others.length > 0 &&
  html`<dl class="views">${others.map((group) => html`<dt>${group.view}</dt><dd>${shown(groupLine(standings, group))}</dd>`)}</dl>`
}`;
  });
  const caveat = html`<p>A document that nobody cited is not thereby irrelevant: <a href="#caveats">what these figures do not say</a>.</p>`;
  return section(page, { id: 'summary', title: 'What can be said', body: [body, caveat] });
}
