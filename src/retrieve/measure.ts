/** Per-query values of rankings against judged rows, on typed arrays. */
import { notJudged, parseMetric, RankingScorer } from '../metrics/index.ts';
import type { RowRanking } from './candidates.ts';

/** metric -> value of each query. */
export function measureRankings(
  rankings: readonly RowRanking[],
  judged: readonly { rows: Int32Array; gains: Float32Array }[],
  corpusSize: number,
  metrics: readonly string[],
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
