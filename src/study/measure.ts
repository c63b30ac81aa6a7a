/** Per-query values of rankings against judged rows, on typed arrays. */
import { notJudged, parseMetric, RankingScorer } from '../metrics/index.ts';
import type { Rankings } from './rankings.ts';

/** What an evaluation reports for retrieval, under the names of the leaderboard; the first is the headline. */
export const retrievalMetrics = [
  'ndcg@10',
  'ndcg@100',
  'map',
  'mrr',
  'p@10',
  'recall@10',
  'recall@100',
  'r-precision',
  'success@1',
  'success@10',
  'unjudged@10',
] as const;

/** metric -> value of each query. */
export function measureRankings(
  rankings: Rankings,
  judged: readonly { rows: Int32Array; gains: Float32Array }[],
  corpusSize: number,
  metrics: readonly string[] = retrievalMetrics,
): Record<string, Float64Array> {
  const scorer = new RankingScorer(metrics.map(parseMetric));
  const gainOf = new Float32Array(corpusSize).fill(notJudged);
  const values = new Float64Array(metrics.length * rankings.length);
  let gains = new Float32Array(1024);
  for (const [query, { rows }] of rankings.entries()) {
    const truth = judged[query]!;
    for (let i = 0; i < truth.rows.length; i++) gainOf[truth.rows[i]!] = truth.gains[i]!;
    if (gains.length < rows.length) gains = new Float32Array(2 * rows.length);
    for (let rank = 0; rank < rows.length; rank++) gains[rank] = gainOf[rows[rank]!]!;
    scorer.score(gains, rows.length, Float32Array.from(truth.gains).sort().reverse(), values, query * metrics.length);
    for (const row of truth.rows) gainOf[row] = notJudged;
  }
  return Object.fromEntries(
    metrics.map((metric, m) => [
      metric,
      Float64Array.from({ length: rankings.length }, (_, query) => values[query * metrics.length + m]!),
    ]),
  );
}
