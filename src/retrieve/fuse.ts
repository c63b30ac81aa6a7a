/**
 * Fusion of rankings.
 *
 * Reciprocal rank fusion (Cormack et al. 2009): score(d) = sum over lists of 1 / (k + rank of d), ranks from 1; a list that
 * does not hold d adds 0.
 *
 * Linear interpolation: score(d) = alpha * norm(dense) + (1 - alpha) * norm(sparse), where norm is min–max over the list of
 * this query: (s - min) / (max - min). A list whose scores are all equal normalises to 0 throughout (never NaN), as in
 * ranx. A document that a list does not hold takes 0 from it, as much as the last one of that list: nothing is known of it
 * but that it is no better.
 *
 * The union of the lists is ranked: score down, ties by tieRank. Alpha and k are chosen by cross-fitting (cross-fit.ts).
 */
import { inputError } from '../base/errors.ts';
import type { RowRanking } from './candidates.ts';
import { TopK } from './top-k.ts';

export interface FuseOptions {
  /** How many documents at most; by default as many as the longest list has. */
  limit?: number;
  /** Order of equal scores (candidates.ts); by row where not given. */
  tieRank?: Uint32Array;
}

/** The ranks' constants that papers use; 60 is the original one. */
export const rrfConstants: readonly number[] = [10, 60, 100];

/** Reciprocal rank fusion of lists that stand in rank order; `k` defaults to 60. */
export function rrf(
  lists: readonly RowRanking[],
  { k = 60, limit, tieRank }: FuseOptions & { k?: number } = {},
): RowRanking {
  if (!(k >= 0)) throw inputError('RRF needs k of 0 or more', { code: 'fuse.k', field: 'k', found: String(k) });
  const scores = new Map<number, number>();
  for (const { rows } of lists)
    for (let rank = 1; rank <= rows.length; rank++) {
      const row = rows[rank - 1]!;
      scores.set(row, (scores.get(row) ?? 0) + 1 / (k + rank));
    }
  return ranked(scores, lists, limit, tieRank);
}

/** Linear interpolation; `alpha` is the weight of the dense list, 0..1. */
export function interpolate(
  dense: RowRanking,
  sparse: RowRanking,
  { alpha, ...options }: FuseOptions & { alpha: number },
): RowRanking {
  return new Interpolation(dense, sparse).rank(alpha, options);
}

/** A dense and a sparse list of one query, normalised and brought together once, to be ranked under any number of weights. */
class Interpolation {
  /** Documents of either list, those of the dense one first. */
  private readonly rows: Int32Array;
  /** Normalised scores, 0 where a list does not hold the document. */
  private readonly dense: Float64Array;
  private readonly sparse: Float64Array;
  private readonly longest: number;

  constructor(dense: RowRanking, sparse: RowRanking) {
    const most = dense.rows.length + sparse.rows.length;
    const rows = new Int32Array(most);
    rows.set(dense.rows);
    const places = new Map<number, number>();
    for (let i = 0; i < dense.rows.length; i++) places.set(dense.rows[i]!, i);
    this.dense = new Float64Array(most);
    this.dense.set(minMax(dense.scores));
    this.sparse = new Float64Array(most);
    const normalised = minMax(sparse.scores);
    let count = dense.rows.length;
    for (let i = 0; i < sparse.rows.length; i++) {
      const place = places.get(sparse.rows[i]!) ?? count++;
      rows[place] = sparse.rows[i]!;
      this.sparse[place] = normalised[i]!;
    }
    this.rows = rows.subarray(0, count);
    this.longest = Math.max(1, dense.rows.length, sparse.rows.length);
  }

  /** The union ranked by alpha * dense + (1 - alpha) * sparse. */
  rank(alpha: number, { limit, tieRank }: FuseOptions = {}): RowRanking {
    if (!(alpha >= 0 && alpha <= 1))
      throw inputError('alpha out of range', {
        code: 'fuse.alpha',
        field: 'alpha',
        expected: '0 to 1',
        found: String(alpha),
      });
    const { rows, dense, sparse } = this;
    const best = new TopK(limit ?? this.longest, tieRank);
    for (let i = 0; i < rows.length; i++) {
      const score = alpha * dense[i]! + (1 - alpha) * sparse[i]!;
      if (Math.fround(score) >= best.threshold) best.offer(rows[i]!, score);
    }
    return best.take();
  }
}

/** (s - min) / (max - min); all 0 where the scores do not differ. */
export function minMax(scores: ArrayLike<number>): Float64Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    low = Math.min(low, scores[i]!);
    high = Math.max(high, scores[i]!);
  }
  const range = high - low;
  return Float64Array.from(scores, (score) => (range > 0 ? (score - low) / range : 0));
}

/** 0, step, ..., 1: 21 weights at the default of 0.05. */
export function alphaGrid(step = 0.05): number[] {
  const count = Math.round(1 / step);
  if (!(step > 0 && Math.abs(count * step - 1) < 1e-9))
    throw inputError('the step of alpha must divide 1', { code: 'fuse.step', field: 'step', found: String(step) });
  return Array.from({ length: count + 1 }, (_, i) => i / count);
}

/** Rankings of one query for each alpha: what a sweep needs, with the lists normalised once. */
export function sweepAlpha(
  dense: RowRanking,
  sparse: RowRanking,
  alphas: readonly number[],
  options: FuseOptions = {},
): RowRanking[] {
  const both = new Interpolation(dense, sparse);
  return alphas.map((alpha) => both.rank(alpha, options));
}

function ranked(
  scores: ReadonlyMap<number, number>,
  lists: readonly RowRanking[],
  limit: number | undefined,
  tieRank: Uint32Array | undefined,
): RowRanking {
  const longest = Math.max(1, ...lists.map((list) => list.rows.length));
  const best = new TopK(limit ?? longest, tieRank);
  for (const [row, score] of scores) best.offer(row, score);
  return best.take();
}
