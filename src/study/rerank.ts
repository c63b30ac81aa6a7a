/**
 * The first n documents of another system's rankings, put in order by a cross-encoder: a system of its own, which needs
 * that one finished. Both texts of a pair are of the same view; a pair that is longer than the model reads loses tokens of
 * the longer text first (`tokenizer/pair.ts`).
 *
 * Query by query, in order: while one is scored, the texts of the next are read and tokenised. Scores are kept by the
 * hashes of the texts after every query. A query without a text stays as it was ranked: there is nothing to compare.
 */

import type { Relevance } from '../corpus/relevance.ts';
import type { Corpus } from '../corpus/store.ts';
import { viewText } from '../corpus/views.ts';
import { ahead } from '../encode/ahead.ts';
import { rerank } from '../retrieve/rerank.ts';
import type { PairText } from '../tokenizer/pair.ts';
import { type QueryScores, textHash } from './pair-scores.ts';
import type { Rankings } from './rankings.ts';
import type { Reranker } from './rerankers.ts';
import type { Cost } from './results.ts';
import type { SearchContext, Searched } from './searched.ts';
import type { ViewSpec } from './systems.ts';
import { queryTexts } from './texts.ts';

interface RerankInput {
  corpus: Corpus;
  relevance: Relevance;
  view: ViewSpec;
  /** Rankings of the system that is reranked, and what it cost. */
  base: { rankings: Rankings; cost: Cost };
  reranker: Reranker;
  /** The reranked system's name, for progress lines. */
  label: string;
  /** Documents of each ranking that are put in order anew. */
  depth: number;
  context: SearchContext;
}

interface Document {
  hash: string;
  /** Tokens, made at the first call. */
  read(): PairText;
}

interface PreparedQuery {
  hash: string;
  query: PairText;
  documents: Document[];
  stored: QueryScores;
  /** Those without a stored score, each text once. */
  missing: { hash: string; text: PairText }[];
}

/** Documents whose tokens are kept: those that many queries find. */
const documentsKept = 2048;

export async function rerankSearched(input: RerankInput): Promise<Searched> {
  const { base, reranker, label, depth, context } = input;
  const { progress, signal, tieRank } = context;
  const total = base.rankings.reduce((sum, { rows }) => sum + Math.min(depth, rows.length), 0);
  const task = progress.begin(`${label}, ${context.label}`, { total, unit: 'pairs' });
  const rankings: Rankings = [];
  const spent = { now: 0, before: 0, pairs: 0, truncated: 0 };
  let mark = performance.now();
  for await (const prepared of ahead(preparedQueries(input), 1)) {
    signal?.throwIfAborted();
    const ranking = base.rankings[rankings.length]!;
    if (prepared === undefined) {
      task.advance(Math.min(depth, ranking.rows.length));
      rankings.push(ranking);
      continue;
    }
    const { hash, query, documents, stored, missing } = prepared;
    const found = documents.length - missing.length;
    if (found > 0) task.advance(found, 'stored');
    if (stored.scores.size > 0) spent.before += (stored.seconds / stored.scores.size) * found;
    if (missing.length > 0) {
      const texts = missing.map(({ text }) => text);
      const advance = (pairs: number) => task.advance(pairs, '');
      const { scores, truncated } = await reranker.score(query, texts, { signal, advance });
      for (const [i, document] of missing.entries()) stored.scores.set(document.hash, scores[i]!);
      spent.pairs += missing.length;
      spent.truncated += truncated;
    }
    const seconds = (performance.now() - mark) / 1000;
    mark = performance.now();
    spent.now += seconds;
    if (missing.length > 0)
      await reranker.stored.write(hash, { scores: stored.scores, seconds: stored.seconds + seconds });
    const scores = documents.map((document) => stored.scores.get(document.hash)!);
    rankings.push(rerank(ranking, scores, tieRank));
  }
  task.finish();
  return { rankings, ...rerankedCost(base.cost, spent, base.rankings.length) };
}

/** Reads ahead what a query needs; nothing for one without a text or without a document. */
async function* preparedQueries(input: RerankInput): AsyncGenerator<PreparedQuery | undefined> {
  const { corpus, relevance, view, base, reranker, depth } = input;
  const documentOf = documentReader(corpus, view, reranker);
  let at = 0;
  for await (const text of queryTexts(corpus, relevance, view)) {
    const rows = base.rankings[at++]!.rows.subarray(0, depth);
    if (rows.length === 0 || !/\S/u.test(text)) {
      yield undefined;
      continue;
    }
    const documents: Document[] = [];
    for (const row of rows) documents.push(await documentOf(row));
    const hash = await textHash(text);
    const stored = await reranker.stored.read(hash);
    const missing = new Map(documents.filter((document) => !stored.scores.has(document.hash)).map((d) => [d.hash, d]));
    yield {
      hash,
      query: reranker.read(text),
      documents,
      stored,
      missing: Array.from(missing.values(), (document) => ({ hash: document.hash, text: document.read() })),
    };
  }
}

/** Documents by row; the ones used last stay in memory. */
function documentReader(corpus: Corpus, view: ViewSpec, reranker: Reranker): (row: number) => Promise<Document> {
  const kept = new Map<number, Document>();
  return async (row) => {
    const found = kept.get(row);
    const document =
      found ??
      (await readDocument(viewText(await corpus.get(row), view.view, { maskCitations: view.masked }), reranker));
    kept.delete(row);
    kept.set(row, document);
    if (kept.size > documentsKept) kept.delete(kept.keys().next().value!);
    return document;
  };
}

async function readDocument(text: string, reranker: Reranker): Promise<Document> {
  let tokens: PairText | undefined;
  return {
    hash: await textHash(text),
    read() {
      tokens ??= reranker.read(text);
      return tokens;
    },
  };
}

/**
 * What a reranked system costs: all that its base does, and scoring the pairs; what the scores found stored once took is
 * counted as if it were spent now.
 */
function rerankedCost(
  { seconds, peakMemoryBytes, fusionSeconds: _, tuningSeconds: __, ...base }: Cost,
  spent: { now: number; before: number; pairs: number; truncated: number },
  queries: number,
): Pick<Searched, 'cost' | 'before'> {
  const rerankSeconds = spent.now + spent.before;
  const searchSeconds = base.searchSeconds + rerankSeconds;
  const cost: Searched['cost'] = { ...base, rerankSeconds, searchSeconds, queriesPerSecond: queries / searchSeconds };
  delete cost.truncated; // the base's own texts; here it is pairs
  if (spent.pairs > 0) cost.truncated = spent.truncated / spent.pairs;
  return { cost, before: { seconds: seconds + spent.before, peakMemoryBytes } };
}
