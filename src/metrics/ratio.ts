/**
 * Intervals of ratios of means over the same queries: the relative drop 1 - mean(OUT)/mean(IN), the share of a metric that
 * is kept, mean(cut)/mean(full).
 *
 *   statistic f(S_1, ..., S_k),   S_j = sum of column j over the queries
 *
 * A mean over a part of the queries is the ratio of two columns: its values with 0 elsewhere, and 1 or 0. Clusters of
 * queries (families) are drawn with replacement, all columns share the draws, f is taken of every resample's sums: a ratio
 * of means, not a mean of ratios, which a query with a zero below would leave undefined. The interval is BCa as for means
 * (interval.ts), its acceleration from f with one cluster left out at a time.
 *
 * f must not change when all sums are multiplied by one number, as ratios and their differences do not. Resamples without a
 * value (a denominator of 0) are left out; where more than one in twenty has none, or fewer than two clusters bear on the
 * value, there is no interval: both ends are NaN.
 */
import { bcaInterval, expandedQuantile, leaveOneOutAcceleration } from './interval.ts';
import { bootstrapMeans, groupQueries, groupSums, mergeGroups, resamplingStreams } from './resample.ts';
import { defaultResamples, type EstimateOptions } from './significance.ts';
import type { Estimate } from './types.ts';

/** A statistic of some of the columns, told by their numbers. */
export interface RatioStatistic {
  columns: readonly number[];
  of: (...sums: number[]) => number;
}

/**
 * Every statistic with its interval; one set of resamples serves all. Columns hold one value a query, all of one length;
 * throws where one is not a finite number.
 */
export function estimateRatios(
  columns: readonly Float64Array[],
  statistics: readonly RatioStatistic[],
  clusters?: ArrayLike<number>,
  { seed = 1, resamples = defaultResamples, level = 0.95 }: EstimateOptions = {},
): Estimate[] {
  const queries = columns[0]?.length ?? 0;
  for (const column of columns) {
    if (column.length !== queries) throw new RangeError(`columns of ${column.length} and of ${queries} queries`);
    if (!column.every(Number.isFinite)) throw new RangeError('a value is not a finite number');
  }
  const random = resamplingStreams(seed);
  const grouping = mergeGroups(groupQueries(queries, clusters), random.merge);
  const sums = columns.map((column) => groupSums(column, grouping));
  const totals = sums.map((column) => column.reduce((sum, value) => sum + value, 0));
  const replicates =
    grouping.groups < 2
      ? columns.map(() => new Float64Array(0))
      : bootstrapMeans(sums, grouping.sizes, resamples, random.bootstrap);
  const nothing = { lower: Number.NaN, upper: Number.NaN };
  return statistics.map(({ columns: used, of }) => {
    const value = of(...used.map((column) => totals[column]!));
    let bearing = 0;
    for (let group = 0; group < grouping.groups; group++)
      if (used.some((column) => sums[column]![group] !== 0)) bearing++;
    if (bearing < 2 || !Number.isFinite(value)) return { value, ...nothing };
    const at = new Array<number>(used.length);
    const values = Float64Array.from({ length: resamples }, (_, b) => {
      for (let i = 0; i < used.length; i++) at[i] = replicates[used[i]!]![b]!;
      return of(...at);
    }).filter(Number.isFinite);
    if (values.length < 0.95 * resamples) return { value, ...nothing };
    const left = Float64Array.from({ length: grouping.groups }, (_, group) => {
      for (let i = 0; i < used.length; i++) at[i] = totals[used[i]!]! - sums[used[i]!]![group]!;
      return of(...at);
    }).filter(Number.isFinite);
    return {
      value,
      ...bcaInterval(values.sort(), value, leaveOneOutAcceleration(left), expandedQuantile(level, bearing)),
    };
  });
}
