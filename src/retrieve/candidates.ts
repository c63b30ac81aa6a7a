/**
 * Who may be found for a query, and in what order equals stand. Rows are places of documents in the corpus.
 *
 * A filter takes the query's own family out (`excluded`) and, with days given, keeps a document only if its day is before
 * the query's day. Ties are broken as trec_eval breaks them: score down, then document id down; searchers get this order
 * as `tieRank`, the rank of each row's id in descending order of strings (compared by code unit).
 */

export interface CandidateFilter {
  /** Rows that query number `query` may not find: its own document and family. */
  excluded?(query: number): ArrayLike<number>;
  /** Day of each document; kept is a document with `documentDay[row] < queryDay[query]`. Both or neither. */
  documentDay?: Int32Array;
  queryDay?: Int32Array;
}

/** The documents found for one query: score down, ties by tieRank. */
export interface RowRanking {
  rows: Int32Array;
  scores: Float32Array;
}

/** What a filter says about one query. */
export interface Candidates {
  excluded: ArrayLike<number>;
  /** Undefined where days do not matter. */
  documentDay: Int32Array | undefined;
  before: number;
}

export const everyone: Candidates = { excluded: [], documentDay: undefined, before: 0 };

export function candidatesOf(filter: CandidateFilter | undefined, query: number): Candidates {
  if (filter === undefined) return everyone;
  const { documentDay, queryDay } = filter;
  return {
    excluded: filter.excluded?.(query) ?? [],
    documentDay: queryDay === undefined ? undefined : documentDay,
    before: queryDay?.[query] ?? 0,
  };
}

/** Rank of each row's id in descending order: the document that comes first among equals has rank 0. */
export function tieRanks(ids: readonly string[]): Uint32Array {
  const order = Uint32Array.from(ids, (_, row) => row);
  order.sort((a, b) => (ids[a]! > ids[b]! ? -1 : ids[a]! < ids[b]! ? 1 : a - b));
  const ranks = new Uint32Array(ids.length);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]!] = rank;
  return ranks;
}
