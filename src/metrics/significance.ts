/**
 * Intervals of means, tests of differences and verdicts over paired per-query values. Everything is seeded; all systems of
 * a table share their resamples.
 *
 * Interval: bootstrap over clusters of queries (families), 10,000 resamples, BCa (interval.ts, resample.ts).
 * p: paired randomisation over clusters. Under the hypothesis that two systems are exchangeable, the sign of each cluster's
 *    difference is arbitrary; p is the share of sign assignments whose absolute mean difference reaches the observed one.
 *    All 2^m assignments where m <= 13 clusters differ, else (1 + reached)/(1 + B) over B random ones; B grows with the
 *    number of pairs (100 a pair) so that Holm's smallest p stays below 0.05. Randomisation rather than bootstrap, because
 *    its level is exact at any number of queries.
 * Trained systems bring one array of values a seed. Their interval comes from a hierarchical bootstrap: each resample draws
 *    seeds of each system and clusters of queries; deviations of seeds are widened by sqrt(K/(K-1)), which makes their
 *    variance unbiased for few seeds, and quantiles are Student's with the degrees of freedom that Satterthwaite's formula
 *    gives for the sum of the variances of queries and of seeds. Sign flips know nothing of seeds, so p is then the share of
 *    centred replicates, widened likewise, that reach the observed difference. Fewer than 5 seeds mark a comparison tentative.
 * pHolm: Holm 1979 over all pairs of the table, or over those of one family where the caller groups pairs into families.
 *
 * Verdict on a - b with practical margin D, checked in this order:
 *   equivalent  the 90 % interval lies inside (-D, D): two one-sided tests at 5 % each, not adjusted for the other pairs
 *   better      difference >= D, 95 % interval wholly above 0, pHolm < 0.05; worse likewise below
 *   undecided   all else: too few queries to tell, or a difference shown to exist but not to matter
 * Detectable: (t_{0.975} + t_{0.8}) standard errors with C - 1 degrees of freedom, the true difference that as many queries
 *   would show with 80 % power in a single test at 5 %.
 */
import { inputError } from '../base/errors.ts';
import type { RandomStream } from '../base/random.ts';
import { normalQuantile, studentQuantile } from './distributions.ts';
import {
  bcaInterval,
  clusterStandardError,
  expandedQuantile,
  jackknifeAcceleration,
  percentileInterval,
} from './interval.ts';
import {
  bootstrapMeans,
  exactFlipShare,
  flippedSums,
  type Grouping,
  groupQueries,
  groupSums,
  mergeGroups,
  resamplingStreams,
} from './resample.ts';
import type { Comparison, Estimate, Verdict } from './types.ts';

/** One value a query; for a trained system one such array a seed. */
export type SystemValues = Float64Array | readonly Float64Array[];

export interface EstimateOptions {
  /** Default 1. */
  seed?: number;
  /** Default 10,000. */
  resamples?: number;
  /** Coverage of the interval. Default 0.95. */
  level?: number;
}

export interface PairsInput {
  systems: readonly string[];
  /** Per system, over the same queries in the same order. */
  values: readonly SystemValues[];
  /** Family of each query, by any number; every query on its own where undefined. */
  clusters?: ArrayLike<number> | undefined;
  metric: string;
  /** Smallest difference that matters, in units of the metric. Default 0.01. */
  margin?: number;
  /** Default 1. */
  seed?: number;
  /** Default 10,000. */
  resamples?: number;
  /**
   * The family of hypotheses that a pair of systems, by their places, belongs to: Holm's adjustment goes over each family on its
   * own, and a pair without one is not compared. To be fixed before the values are seen. Default: all pairs are one family.
   */
  family?: (a: number, b: number) => string | undefined;
}

export const defaultMargin = 0.01;
export const defaultResamples = 10_000;
/** A difference is significant where Holm's p lies below. */
const significanceLevel = 0.05;
/** A comparison of systems trained with fewer is tentative. */
export const fewestSeeds = 5;
/** All assignments of signs are tried up to so many clusters. */
export const mostExactClusters = 13;
const mostFlips = 200_000;

/**
 * Mean over queries with its interval. Fewer than two clusters say nothing about spread: lower and upper are then NaN.
 * Throws where a value is not a number or lengths differ.
 */
export function estimateMean(
  values: SystemValues,
  clusters?: ArrayLike<number>,
  options: EstimateOptions = {},
): Estimate {
  return estimateMeans([values], clusters, options)[0]!;
}

/** `estimateMean` of many columns (systems, metrics) over the same queries: one set of resamples serves all. */
export function estimateMeans(
  columns: readonly SystemValues[],
  clusters?: ArrayLike<number>,
  options: EstimateOptions = {},
): Estimate[] {
  const { seed = 1, resamples = defaultResamples, level = 0.95 } = options;
  const systems = readSystems(columns, clusters, seed, resamples);
  return systems.map((system) => {
    if (system.grouping.groups < 2) return { value: system.mean, lower: Number.NaN, upper: Number.NaN };
    return { value: system.mean, ...intervalOf(system.replicates, system.mean, system, level) };
  });
}

/** Holm's adjustment within each family of hypotheses. */
export function holmByFamily(ps: readonly number[], families: readonly (string | undefined)[]): Float64Array {
  const adjusted = new Float64Array(ps.length);
  for (const family of Map.groupBy(ps.keys(), (at) => families[at]).values())
    holm(family.map((at) => ps[at]!)).forEach((p, i) => {
      adjusted[family[i]!] = p;
    });
  return adjusted;
}

/** All pairs of systems that have a family, in the order (0,1), (0,2), ..., (1,2), ...; see the head of this file. */
export function comparePairs(input: PairsInput): Comparison[] {
  const { systems: names, values, clusters, metric, seed = 1, resamples = defaultResamples } = input;
  const familyOf = input.family ?? (() => '');
  const margin = input.margin ?? defaultMargin;
  if (names.length !== values.length) {
    throw new RangeError(`one array of values a system: ${values.length} for ${names.length} systems`);
  }
  const systems = readSystems(values, clusters, seed, resamples);
  const pairs = names
    .flatMap((_, a) => names.slice(a + 1).map((_, after) => [a, a + 1 + after] as const))
    .filter(([a, b]) => familyOf(a, b) !== undefined);
  const test = signFlipTest(systems, pairs.length, resamples, resamplingStreams(seed).flips);
  const rows = pairs.map(([a, b]) => {
    const [x, y] = [systems[a]!, systems[b]!];
    const difference = x.mean - y.mean;
    const both: Spread = {
      grouping: x.grouping,
      sums: minus(x.sums, y.sums),
      trained: x.trained || y.trained,
      seedParts: [...x.seedParts, ...y.seedParts],
    };
    const replicates = minus(x.replicates, y.replicates);
    const few = x.grouping.groups < 2;
    const nothing = { lower: Number.NaN, upper: Number.NaN };
    const wide = few ? nothing : intervalOf(replicates, difference, both, 0.95);
    const narrow = few ? nothing : intervalOf(replicates, difference, both, 0.9);
    const tentative = (x.trained && x.seeds < fewestSeeds) || (y.trained && y.seeds < fewestSeeds);
    const error = both.trained ? deviation(replicates) : clusterStandardError(both.sums, both.grouping.sizes);
    return {
      metric,
      a: names[a]!,
      b: names[b]!,
      difference,
      lower: wide.lower,
      upper: wide.upper,
      p: both.trained ? (few ? 1 : centredShare(replicates, difference, freedomOf(both))) : test(x, y),
      detectable: few ? Number.NaN : smallestDetectable(error, both.trained ? freedomOf(both) + 1 : x.allGroups.groups),
      queries: x.allGroups.of.length,
      ...(tentative ? { tentative: true as const } : {}),
      narrow,
    };
  });
  const adjusted = holmByFamily(
    rows.map(({ p }) => p),
    pairs.map(([a, b]) => familyOf(a, b)),
  );
  return rows.map(({ narrow, ...row }, i) => {
    const pHolm = adjusted[i]!;
    return { ...row, pHolm, verdict: verdictOf({ ...row, pHolm, narrow, margin }) };
  });
}

/** The verdict of the head of this file. */
export function verdictOf(row: {
  difference: number;
  lower: number;
  upper: number;
  pHolm: number;
  /** The 90 % interval. */
  narrow: { lower: number; upper: number };
  margin: number;
}): Verdict {
  const { difference, lower, upper, pHolm, narrow, margin } = row;
  if (narrow.lower > -margin && narrow.upper < margin) return 'equivalent';
  if (pHolm < significanceLevel && difference !== 0) {
    if (difference >= margin && lower > 0) return 'better';
    if (difference <= -margin && upper < 0) return 'worse';
  }
  return 'undecided';
}

/** Holm's step-down adjustment: p_(i) times the hypotheses not yet rejected, made monotone, at most 1. */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!);
  const adjusted = new Array<number>(p.length);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.min(1, Math.max(highest, p[index]! * (p.length - rank)));
    adjusted[index] = highest;
  });
  return adjusted;
}

/**
 * The true difference that a two-sided test at 5 % shows with 80 % power, from the standard error of a difference and the
 * number of independent clusters behind it (normal quantiles where it is not given).
 */
export function smallestDetectable(standardError: number, clusters?: number): number {
  const [alpha, power] = [0.05, 0.8];
  const at = (p: number) => (clusters === undefined ? normalQuantile(p) : studentQuantile(p, clusters - 1));
  return (at(1 - alpha / 2) + at(power)) * standardError;
}

/** Approximate smallest detectable mean difference of a planned study: `sd` of per-query differences, `queries` of them. */
export function minimalDetectableEffect({ sd, queries }: { sd: number; queries: number }): number {
  return smallestDetectable(sd / Math.sqrt(queries), queries);
}

/** A variance and the degrees of freedom it is known by. */
export interface VariancePart {
  variance: number;
  freedom: number;
}

interface Spread {
  grouping: Grouping;
  /** Sums over groups (merged where there are very many); means over seeds of a trained system. */
  sums: Float64Array;
  trained: boolean;
  /** What each system's seeds add to the variance of its mean, with the degrees of freedom it is known by. */
  seedParts: readonly VariancePart[];
}

interface System extends Spread {
  mean: number;
  seeds: number;
  replicates: Float64Array;
  /** Before merging: what sign flips and degrees of freedom go by. */
  allGroups: Grouping;
  allSums: Float64Array;
}

function readSystems(
  columns: readonly SystemValues[],
  clusters: ArrayLike<number> | undefined,
  seed: number,
  resamples: number,
): System[] {
  const seedsOf = columns.map((values) => (values instanceof Float64Array ? [values] : values));
  const queries = seedsOf[0]?.[0]?.length ?? 0;
  for (const values of seedsOf.flat()) checkValues(values, queries);
  if (columns.length === 0) return [];
  if (queries === 0) {
    throw inputError('there is no query to average over', { code: 'statistics.empty', expected: 'at least one query' });
  }
  const random = resamplingStreams(seed);
  const allGroups = groupQueries(queries, clusters);
  const grouping = mergeGroups(allGroups, random.merge);
  const sums = seedsOf.map((seeds) => seeds.map((values) => groupSums(values, grouping)));
  const replicates =
    grouping.groups < 2
      ? sums.map((seeds) => seeds.map(() => new Float64Array(0)))
      : regroup(bootstrapMeans(sums.flat(), grouping.sizes, resamples, random.bootstrap), sums);
  return seedsOf.map((seeds, s) => {
    const mean = average(seeds);
    return {
      grouping,
      sums: average(sums[s]!),
      trained: !(columns[s] instanceof Float64Array),
      mean: sumOf(mean) / queries,
      seeds: seeds.length,
      seedParts: seeds.length === 1 ? [] : [seedPart(seeds.map((own) => sumOf(own) / own.length))],
      replicates: seeds.length === 1 ? replicates[s]![0]! : drawSeeds(replicates[s]!, random.seeds),
      allGroups,
      allSums: groupSums(mean, allGroups),
    };
  });
}

/** Replicates of the mean over seeds drawn anew in each resample, their deviations widened to an unbiased variance. */
export function drawSeeds(replicates: readonly Float64Array[], random: RandomStream): Float64Array {
  const seeds = replicates.length;
  const widened = Math.sqrt(seeds / (seeds - 1));
  const centre = average(replicates);
  return centre.map((mean, b) => {
    let drawn = 0;
    for (let i = 0; i < seeds; i++) drawn += replicates[random.integer(seeds)]![b]!;
    return mean + widened * (drawn / seeds - mean);
  });
}

/** BCa over clusters; trained systems, whose seeds have no jackknife here, get a percentile interval of Student's width. */
function intervalOf(replicates: Float64Array, point: number, spread: Spread, level: number) {
  const { grouping, sums, trained } = spread;
  const sorted = replicates.slice().sort();
  if (trained) {
    // Widened about the point rather than cut further out: few seeds leave the replicates without tails to cut.
    const { lower, upper } = percentileInterval(sorted, normalQuantile((1 + level) / 2));
    const wider = widening(level, freedomOf(spread));
    return { lower: point + wider * (lower - point), upper: point + wider * (upper - point) };
  }
  const z = expandedQuantile(level, grouping.groups);
  return bcaInterval(sorted, point, jackknifeAcceleration(sums, grouping.sizes), z);
}

/** How much wider Student's interval is than the normal one. */
export function widening(level: number, freedom: number): number {
  return studentQuantile((1 + level) / 2, freedom) / normalQuantile((1 + level) / 2);
}

/** Variance of a mean over seeds that comes from the seeds, by the spread of their values. */
export function seedPart(values: readonly number[]): VariancePart {
  return { variance: deviation(Float64Array.from(values)) ** 2 / values.length, freedom: values.length - 1 };
}

function freedomOf({ grouping, sums, seedParts }: Spread): number {
  const variance = clusterStandardError(sums, grouping.sizes) ** 2;
  return satterthwaite([{ variance, freedom: grouping.groups - 1 }, ...seedParts]);
}

/** Satterthwaite's degrees of freedom of a sum of independent variances: of queries first, and of each system's seeds. */
export function satterthwaite(parts: readonly VariancePart[]): number {
  let [total, squares] = [0, 0];
  for (const { variance, freedom } of parts) {
    total += variance;
    squares += variance ** 2 / freedom;
  }
  return squares > 0 ? total ** 2 / squares : parts[0]!.freedom;
}

/** Random sign assignments that a table of so many pairs needs: Holm's smallest p must stay below 0.05. */
export function flipsFor(pairs: number, resamples: number): number {
  return 4 * Math.ceil(Math.min(mostFlips, Math.max(resamples, 100 * pairs)) / 4);
}

/** p of a pair by sign flips; the flipped sums are computed once, for all systems, when first needed. */
function signFlipTest(systems: readonly System[], pairs: number, resamples: number, random: RandomStream) {
  const flips = flipsFor(pairs, resamples);
  let flipped: Map<System, Float64Array> | undefined;
  return (x: System, y: System): number => {
    const differences = minus(x.allSums, y.allSums);
    let size = 0;
    for (const sum of differences) size = Math.max(size, Math.abs(sum));
    const tiny = 1e-12 * Math.max(1, size);
    const differing = Array.from(differences).filter((sum) => Math.abs(sum) > tiny);
    if (differing.length === 0) return 1;
    if (differing.length <= mostExactClusters) return exactFlipShare(differing);
    if (flipped === undefined) {
      const columns = flippedSums(
        systems.map(({ allSums }) => allSums),
        flips,
        random,
      );
      flipped = new Map(systems.map((system, s) => [system, columns[s]!]));
    }
    const [a, b] = [flipped.get(x)!, flipped.get(y)!];
    // Equal sums added in another order may differ in the last bits: they count as reached.
    const least = Math.abs(sumOf(differences)) - 1e-10 * (1 + sumOf(differing.map(Math.abs)));
    let reached = 0;
    for (let i = 0; i < flips; i++) if (Math.abs(a[i]! - b[i]!) >= least) reached++;
    return (1 + reached) / (1 + flips);
  };
}

/** Share of replicates, widened to Student's spread, as far from the observed difference as that is from 0. */
export function centredShare(replicates: Float64Array, difference: number, freedom: number): number {
  const least = Math.abs(difference) / widening(1 - significanceLevel, freedom);
  let reached = 0;
  for (const replicate of replicates) if (Math.abs(replicate - difference) >= least) reached++;
  return (1 + reached) / (1 + replicates.length);
}

function checkValues(values: Float64Array, queries: number): void {
  if (values.length !== queries) {
    throw new RangeError(`all systems need the same queries: ${values.length} values where others have ${queries}`);
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RangeError(`the value of query ${wrong} is ${values[wrong]}, not a finite number`);
}

/** Gives a flat list of arrays the shape of a list of lists. */
function regroup(flat: readonly Float64Array[], shape: readonly (readonly unknown[])[]): Float64Array[][] {
  let at = 0;
  return shape.map(({ length }) => {
    at += length;
    return flat.slice(at - length, at);
  });
}

export function average(arrays: readonly Float64Array[]): Float64Array {
  if (arrays.length === 1) return arrays[0]!;
  return arrays[0]!.map((_, i) => {
    let sum = 0;
    for (const array of arrays) sum += array[i]!;
    return sum / arrays.length;
  });
}

export function minus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

export function deviation(values: Float64Array): number {
  const mean = sumOf(values) / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}
