/** The texts of a corpus under a view, streamed; queries that are documents of the corpus have the same text as there. */
import type { Relevance } from '../corpus/relevance.ts';
import type { Corpus } from '../corpus/store.ts';
import { viewText } from '../corpus/views.ts';
import type { ViewSpec } from './systems.ts';

/** Every document's text in row order; '' for one that is not `wanted`. */
export async function* documentTexts(
  corpus: Corpus,
  view: ViewSpec,
  wanted: (row: number) => boolean = () => true,
): AsyncGenerator<string> {
  let row = 0;
  for await (const patent of corpus.records())
    yield wanted(row++) ? viewText(patent, view.view, { maskCitations: view.masked }) : '';
}

/** Every query's text in query order. Reads the corpus once where many of its documents are queries. */
export async function* queryTexts(corpus: Corpus, relevance: Relevance, view: ViewSpec): AsyncGenerator<string> {
  for (const { row, text } of relevance.queries) {
    if (row === undefined) yield text ?? '';
    else yield viewText(await corpus.get(row), view.view, { maskCitations: view.masked });
  }
}
