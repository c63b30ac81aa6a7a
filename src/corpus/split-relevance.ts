/**
 * Relevance within one part of a split: queries are patents of the part, relevant and findable are documents of the part
 * alone. Judgements that lead out of the part are removed; a query with none left is dropped and counted.
 *
 * Documents outside are kept from being found through the filter by days, which every searcher has: a day after any query's.
 */
import { keepQueries, type Relevance } from './relevance.ts';
import { never } from './relevance-draft.ts';
import { type CorpusSplit, type SplitPart, splitParts } from './splits.ts';

export interface SplitRelevance extends Relevance {
  /** Relevant documents of the part's queries that lie outside the part. */
  removed: number;
}

export function relevanceWithin(relevance: Relevance, split: CorpusSplit, part: SplitPart = 'test'): SplitRelevance {
  const inside = splitParts.indexOf(part);
  const kept: number[] = [];
  const judged: Relevance['judged'] = [];
  let removed = 0;
  let outside = 0;
  let without = 0;
  for (const [query, { row }] of relevance.queries.entries()) {
    if (row === undefined || split.part[row] !== inside) {
      outside++;
      continue;
    }
    const { rows, gains } = relevance.judged[query]!;
    const own = rows.map((_, at) => at).filter((at) => split.part[rows[at]!] === inside);
    const relevant = (places: Int32Array) => places.reduce((sum, at) => sum + (gains[at]! > 0 ? 1 : 0), 0);
    const left = relevant(own);
    removed += gains.reduce((sum, gain) => sum + (gain > 0 ? 1 : 0), 0) - left;
    if (left === 0) {
      without++;
      continue;
    }
    kept.push(query);
    judged.push({ rows: own.map((at) => rows[at]!), gains: Float32Array.from(own, (at) => gains[at]!) });
  }
  const { documentDay, queryDay } = relevance;
  const days = Int32Array.from(split.part, (own, row) => (own !== inside ? never : (documentDay?.[row] ?? 0)));
  const dropped = [
    ...relevance.dropped,
    { reason: `the query is no patent of the ${part} part`, count: outside },
    { reason: `no relevant document lies in the ${part} part`, count: without },
  ];
  return {
    ...keepQueries(relevance, kept),
    statement: `${relevance.statement} Within the ${part} part: ${split.summary.statement}`,
    judged,
    documentDay: days,
    queryDay: Int32Array.from(kept, (query) => queryDay?.[query] ?? never),
    dropped: dropped.filter(({ count }) => count > 0),
    removed,
  };
}
