/** Texts that a vocabulary may be learnt from: those of the train part, never what is tested. */
import { type CorpusSplit, trainPart } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import { viewText } from '../corpus/views.ts';

export async function* trainTexts(corpus: Corpus, { part }: Pick<CorpusSplit, 'part'>): AsyncGenerator<string> {
  let row = 0;
  for await (const patent of corpus.records()) if (part[row++] === trainPart) yield viewText(patent, 'TAC');
}
