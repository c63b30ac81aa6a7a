/**
 * BM25 fused with a dense model, its setting chosen by cross-fitting: alpha of the linear interpolation, k of reciprocal
 * rank fusion. Every query is ranked with the setting that was best on the queries of the other folds (whole families to a
 * fold), so that the fused row covers the same queries as its parts and was not tuned on itself.
 *
 * Both passes go query by query: the first scores every setting, the second ranks with the chosen one; nothing but one
 * number a query and setting is kept in between.
 */
import { parseMetric, RankingScorer } from '../metrics/index.ts';
import { notJudged } from '../metrics/ranking.ts';
import type { RowRanking } from '../retrieve/candidates.ts';
import { alphaGrid, crossFit, rrf, rrfConstants, sweepAlpha } from '../retrieve/index.ts';
import { stopwatch } from './clock.ts';
import type { Rankings } from './rankings.ts';
import type { Cost } from './results.ts';
import type { Searched } from './searched.ts';
import type { FusionMethod } from './systems.ts';

interface FuseInput {
  method: FusionMethod;
  sparse: Rankings;
  dense: Rankings;
  judged: readonly { rows: Int32Array; gains: Float32Array }[];
  clusters: Int32Array;
  tieRank: Uint32Array;
  corpusSize: number;
  /** Setting is chosen on this metric. */
  metric: string;
  folds: number;
  seed: number;
  depth: number;
}

interface Fused {
  rankings: Rankings;
  chosen: {
    method: FusionMethod;
    metric: string;
    folds: { setting: number; queries: number; meanElsewhere: number }[];
  };
  /** Mean over all queries at each setting: for the plot, not for the leaderboard. */
  sweep: { setting: number; value: number }[];
  /** Choosing the setting, and fusing every query with the chosen one. */
  seconds: { tuning: number; fusing: number };
}

/** Settings tried: alpha in steps of 0.05 (the weight of the dense list), or k of 10, 60, 100. */
export function fusionSettings(method: FusionMethod): number[] {
  return method === 'linear' ? alphaGrid() : [...rrfConstants];
}

export function fuseRankings(input: FuseInput): Fused {
  const { method, sparse, judged, clusters, metric, folds, seed } = input;
  const settings = fusionSettings(method);
  const tuning = stopwatch();
  const measure = parseMetric(metric);
  const scorer = new RankingScorer([measure]);
  const gainOf = new Float32Array(input.corpusSize).fill(notJudged);
  const values = settings.map(() => new Float64Array(sparse.length));
  const out = new Float64Array(1);
  // What lies beyond the metric's cut cannot change it.
  const limit = measure.at > 0 ? Math.min(input.depth, measure.at) : input.depth;
  for (let query = 0; query < sparse.length; query++) {
    const truth = judged[query]!;
    const ideal = Float32Array.from(truth.gains).sort().reverse();
    for (let i = 0; i < truth.rows.length; i++) gainOf[truth.rows[i]!] = truth.gains[i]!;
    for (const [s, { rows }] of rankUnder(input, query, settings, limit).entries()) {
      scorer.score(
        Float32Array.from(rows, (row) => gainOf[row]!),
        rows.length,
        ideal,
        out,
      );
      values[s]![query] = out[0]!;
    }
    for (const row of truth.rows) gainOf[row] = notJudged;
  }
  const fit = crossFit(values, { clusters, folds, seed });
  const tuningSeconds = tuning();
  const fusing = stopwatch();
  const rankings = sparse.map((_, query) => rankUnder(input, query, [settings[fit.chosen[query]!]!], input.depth)[0]!);
  return {
    rankings,
    seconds: { tuning: tuningSeconds, fusing: fusing() },
    chosen: {
      method,
      metric,
      folds: fit.choices.map(({ setting, queries, meanElsewhere }) => ({
        setting: settings[setting]!,
        queries,
        meanElsewhere,
      })),
    },
    sweep: settings.map((setting, s) => ({ setting, value: mean(values[s]!) })),
  };
}

/**
 * What a fused system costs: both indexes, and for each query both searches and the fusion of their lists. What its parts
 * cost comes from their own cells, whenever those were computed.
 */
export function fusedCost(
  [sparse, dense]: readonly [Cost, Cost],
  { tuning, fusing }: Fused['seconds'],
  queries: number,
  documents: number,
): Pick<Searched, 'cost' | 'before'> {
  const searchSeconds = sparse.searchSeconds + dense.searchSeconds + fusing;
  const cost: Searched['cost'] = {
    searchSeconds,
    fusionSeconds: fusing,
    tuningSeconds: tuning,
    queriesPerSecond: queries / searchSeconds,
  };
  if (sparse.encodeSeconds !== undefined && dense.encodeSeconds !== undefined) {
    cost.encodeSeconds = sparse.encodeSeconds + dense.encodeSeconds;
    // Not told where vectors were found stored: there is no rate of work that was not done.
    if (dense.documentsPerSecond !== undefined) cost.documentsPerSecond = documents / cost.encodeSeconds;
  }
  if (sparse.indexBytes !== undefined && dense.indexBytes !== undefined)
    cost.indexBytes = sparse.indexBytes + dense.indexBytes;
  if (dense.truncated !== undefined) cost.truncated = dense.truncated;
  const before = {
    seconds: sparse.seconds + dense.seconds,
    peakMemoryBytes: Math.max(sparse.peakMemoryBytes, dense.peakMemoryBytes),
  };
  return { cost, before };
}

/** The fused ranking of one query under each setting. */
function rankUnder(
  { method, dense, sparse, tieRank }: FuseInput,
  query: number,
  settings: readonly number[],
  limit: number,
): RowRanking[] {
  const [a, b] = [dense[query]!, sparse[query]!];
  return method === 'linear'
    ? sweepAlpha(a, b, settings, { tieRank, limit })
    : settings.map((k) => rrf([a, b], { k, tieRank, limit }));
}

function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
