/** What to use: the first section of every report. Sentences come from verdicts alone; invented data yields none. */
import { adviseOn, type Evidence } from '../advice.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { inventedStamp, linked, type Stamped, section } from '../page.ts';
import type { Sentence } from '../sentences.ts';

/** `notShown`: what nobody may conclude from this report, by name. */
export function advice(page: Stamped, evidence: readonly Evidence[], notShown: readonly Content[]): Markup {
  const body = page.standings.results.invented
    ? html`<p>${inventedStamp}, so nothing is advised here. Import your own with <code>patentlab import FILE --as mine</code> and run the same command on it.</p>`
    : evidence.map(
        (of) =>
          html`${adviseOn(of).sentences.map((sentence, at) => html`<p${at === 0 && html` class="advice"`}>${shown(sentence)}</p>\n`)}`,
      );
  return section(page, {
    id: 'advice',
    title: 'What to use',
    body: [
      body,
      html`<h3 id="not-shown">What was not shown</h3><ul>${notShown.map((item) => html`<li>${item}</li>\n`)}</ul>`,
    ],
  });
}

export function shown(sentence: Sentence): Markup[] {
  return sentence.map((part) => (typeof part === 'string' ? html`${part}` : linked(part.cell, part.text)));
}
