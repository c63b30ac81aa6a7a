/**
 * What retrieval metrics work on. Documents and queries are strings as in TREC files; inside a corpus they are patent ids.
 */

/** query -> document -> judged gain (0 = judged and not relevant; negative values count as not relevant). */
export type Judgements = Map<string, Map<string, number>>;

/** One query's ranking. Any order: metrics sort by score down, ties by document id down, as trec_eval does. */
export interface Ranking {
  documents: readonly string[];
  scores: Float64Array | Float32Array | readonly number[];
}

/** query -> ranking. */
export type Run = Map<string, Ranking>;

/** A value with its confidence interval; both ends are NaN where fewer than two independent queries stand behind it. */
export interface Estimate {
  value: number;
  lower: number;
  upper: number;
}

/** What a comparison of two systems may say (design, "Results"). */
export type Verdict = 'better' | 'worse' | 'equivalent' | 'undecided';

/** System `a` minus system `b` on one metric over the same queries. */
export interface Comparison {
  metric: string;
  a: string;
  b: string;
  difference: number;
  lower: number;
  upper: number;
  p: number;
  /** Holm-adjusted over all pairs of the table, or of the pair's family. */
  pHolm: number;
  verdict: Verdict;
  /** Smallest true difference that this many queries would detect with 80 % power at 5 %. */
  detectable: number;
  queries: number;
  /** A trained system has fewer than 5 seeds: how much a new training run differs is hardly known. */
  tentative?: true;
}
