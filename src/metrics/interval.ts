/**
 * Confidence intervals from bootstrap replicates: bias-corrected and accelerated (BCa; Efron 1987), chosen because
 * per-query retrieval values are skewed (many zeros, some ones) and BCa follows the skew where a percentile interval is
 * off by a term of order 1/sqrt(n); it costs one sort. The acceleration comes from the jackknife over clusters.
 *
 * Bootstrap intervals are too short for few clusters, because the replicates' variance lacks the factor C/(C-1) and no
 * allowance is made for estimating it. The normal quantile z is therefore replaced by sqrt(C/(C-1)) t_{C-1} (Hesterberg's
 * expanded percentile interval, 2015), which makes no difference beyond a few hundred clusters.
 */
import { normalCdf, normalQuantile, studentQuantile } from './distributions.ts';

/** Half-width, in standard errors of the replicates, of a two-sided interval at `level` from `clusters` clusters. */
export function expandedQuantile(level: number, clusters: number): number {
  return Math.sqrt(clusters / (clusters - 1)) * studentQuantile((1 + level) / 2, clusters - 1);
}

/** The interval of `point` from sorted replicates; `z` is the half-width in standard errors, 1.96 for plain BCa at 95 %. */
export function bcaInterval(
  sorted: Float64Array,
  point: number,
  acceleration: number,
  z: number,
): { lower: number; upper: number } {
  const shift = normalQuantile(shareBelow(sorted, point));
  if (!Number.isFinite(shift)) return percentileInterval(sorted, z); // all replicates on one side: nothing to correct by
  const tail = (side: number): number => {
    const raised = shift + side;
    return normalCdf(shift + raised / (1 - acceleration * raised));
  };
  return { lower: quantile(sorted, tail(-z)), upper: quantile(sorted, tail(z)) };
}

/** The interval between quantiles of sorted replicates that `z` standard errors of a normal distribution would cut off. */
export function percentileInterval(sorted: Float64Array, z: number): { lower: number; upper: number } {
  return { lower: quantile(sorted, normalCdf(-z)), upper: quantile(sorted, normalCdf(z)) };
}

/** Share of replicates below a value, those equal to it counting half. */
function shareBelow(sorted: Float64Array, value: number): number {
  return (firstAt(sorted, value, false) + firstAt(sorted, value, true)) / (2 * sorted.length);
}

/** Replicates below `value`, or not above it. */
function firstAt(sorted: Float64Array, value: number, above: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value || (above && sorted[middle]! === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Quantile by linear interpolation between order statistics (numpy's default). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const place = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

/** Acceleration of a ratio mean from the jackknife over groups. */
export function jackknifeAcceleration(sums: Float64Array, sizes: Float64Array): number {
  const [total, queries] = totals(sums, sizes);
  return leaveOneOutAcceleration(sums.map((sum, g) => (total - sum) / (queries - sizes[g]!)));
}

/** Acceleration of any statistic from its values with one group left out each: their skewness over 6. */
export function leaveOneOutAcceleration(left: Float64Array): number {
  let mean = 0;
  for (const value of left) mean += value / left.length;
  let squares = 0;
  let cubes = 0;
  for (const value of left) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
}

/** Standard error of a ratio mean, by linearisation over groups: sqrt(C/(C-1) sum_c ((S_c - mean n_c)/N)^2). */
export function clusterStandardError(sums: Float64Array, sizes: Float64Array): number {
  const [total, queries] = totals(sums, sizes);
  let squares = 0;
  sums.forEach((sum, g) => {
    squares += ((sum - (total / queries) * sizes[g]!) / queries) ** 2;
  });
  return Math.sqrt((sums.length / (sums.length - 1)) * squares);
}

function totals(sums: Float64Array, sizes: Float64Array): [sum: number, queries: number] {
  let total = 0;
  let queries = 0;
  sums.forEach((sum, g) => {
    total += sum;
    queries += sizes[g]!;
  });
  return [total, queries];
}
