/** BM25 over one view of a corpus. */
import type { Relevance } from '../corpus/relevance.ts';
import type { Corpus } from '../corpus/store.ts';
import { Bm25Builder, type Bm25Options } from '../retrieve/bm25.ts';
import { bm25Settings } from '../retrieve/bm25-scoring.ts';
import { type CandidateFilter, candidatesOf } from '../retrieve/candidates.ts';
import { type AnalyserOptions, WordAnalyser } from '../tokenizer/words.ts';
import { stopwatch } from './clock.ts';
import type { SearchContext, Searched } from './searched.ts';
import type { ViewSpec } from './systems.ts';
import { documentTexts, queryTexts } from './texts.ts';

interface LexicalOptions {
  bm25: Bm25Options;
  analyser: AnalyserOptions;
}

/** Everything that decides what `searchLexical` gives: part of the cell's identity. */
export function lexicalSettings({ bm25, analyser }: LexicalOptions): Record<string, unknown> {
  return { bm25: bm25Settings(bm25), analyser: new WordAnalyser(analyser).settings };
}

export async function searchLexical(
  corpus: Corpus,
  relevance: Relevance,
  view: ViewSpec,
  options: LexicalOptions,
  context: SearchContext,
): Promise<Searched> {
  const { depth, tieRank, progress, signal } = context;
  const analyser = new WordAnalyser(options.analyser);
  const builder = new Bm25Builder(options.bm25);
  const indexing = stopwatch();
  const reading = progress.begin(`bm25 index, ${context.label}`, { total: corpus.size, unit: 'patents' });
  for await (const text of documentTexts(corpus, view)) {
    signal?.throwIfAborted();
    builder.add(analyser.analyse(text));
    reading.advance();
  }
  const index = builder.finish();
  reading.finish();
  const indexSeconds = indexing();
  const searching = stopwatch();
  const filter: CandidateFilter = context.filter;
  const task = progress.begin(`bm25 search, ${context.label}`, { total: relevance.queries.length, unit: 'queries' });
  const rankings: Searched['rankings'] = [];
  for await (const text of queryTexts(corpus, relevance, view)) {
    signal?.throwIfAborted();
    const tokens = analyser.analyse(text, { grow: false });
    rankings.push(index.search(tokens, { k: depth, tieRank }, candidatesOf(filter, rankings.length)));
    task.advance();
    // Let Ctrl-C and timers through: searching is synchronous.
    if (rankings.length % 64 === 0) await new Promise(setImmediate);
  }
  task.finish();
  const searchSeconds = searching();
  return {
    rankings,
    cost: {
      encodeSeconds: indexSeconds,
      searchSeconds,
      documentsPerSecond: corpus.size / indexSeconds,
      queriesPerSecond: relevance.queries.length / searchSeconds,
      indexBytes: index.bytes,
    },
  };
}
