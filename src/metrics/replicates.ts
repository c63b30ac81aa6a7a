/**
 * Intervals, tests and verdicts of measures that are no means over queries (macro-F1, V-measure). A system brings its value
 * and its values on bootstrap resamples; all systems of a table share their resamples (equal places, equal seed), so that
 * differences are paired. Verdicts, Holm's adjustment, the treatment of seeds and the detectable difference are those of
 * significance.ts, whose head defines them.
 *
 * Interval of one value, or of a difference of untrained systems: bias-corrected and accelerated (BCa), the acceleration
 * from the jackknife over clusters where the values bring one; without it bias-corrected only (acceleration 0). The
 * correction is needed: a resample misses some documents of rare labels, so that replicates of macro-F1 lie on one side.
 * With few clusters quantiles widen to Student's, as for means; where the number of clusters is not given they are normal.
 * Trained systems (one pair a seed): seeds are drawn anew in each replicate, widened by sqrt(K/(K-1)), and the percentile
 * interval, moved to the value, gets Student's width.
 *
 * p of a difference: the share of replicates, moved to the observed difference and widened to Student's spread, that lie as
 * far from it as it does from 0. It holds about its level with many clusters. A test that holds it exactly comes in by
 * `test`: for predicted label sets the swap test of multilabel-bootstrap.ts; it knows nothing of seeds, so that pairs with a trained
 * system keep the share.
 */
import { inputError } from '../base/errors.ts';
import { normalQuantile } from './distributions.ts';
import { bcaInterval, expandedQuantile, leaveOneOutAcceleration, percentileInterval } from './interval.ts';
import { resamplingStreams } from './resample.ts';
import {
  average,
  centredShare,
  defaultMargin,
  deviation,
  drawSeeds,
  fewestSeeds,
  holm,
  minus,
  satterthwaite,
  seedPart,
  smallestDetectable,
  type VariancePart,
  verdictOf,
  widening,
} from './significance.ts';
import type { Comparison, Estimate } from './types.ts';

/** A measure of one system (of one seed of it) with its values on resamples. */
export interface ReplicatedValue {
  value: number;
  /** [resamples]; empty where there are too few clusters to resample. */
  replicates: Float64Array;
  /** [clusters] the value with one cluster left out, in the same order for all systems. */
  jackknife?: Float64Array;
  /** Independent clusters (families) that were resampled. */
  clusters?: number;
  /** Documents behind the value. */
  documents?: number;
}

/** One value; for a trained system one a seed. */
export type ReplicatedValues = ReplicatedValue | readonly ReplicatedValue[];

export interface CompareReplicatedInput {
  systems: readonly string[];
  /** Per system, over the same documents and resamples. */
  values: readonly ReplicatedValues[];
  metric: string;
  /** Smallest difference that matters, in units of the metric. Default 0.01. */
  margin?: number;
  /** Draws of seeds. Default 1. */
  seed?: number;
  /** p of the pair of systems `a`, `b` (numbers within `systems`), in place of the share of centred replicates. */
  test?: (a: number, b: number) => number;
}

/** Value with its interval; lower and upper are NaN where there are no replicates. */
export function estimateReplicated(
  values: ReplicatedValues,
  { level = 0.95, seed = 1 }: { level?: number; seed?: number } = {},
): Estimate {
  const system = readSystems([values], seed)[0]!;
  return { value: system.value, ...intervalOf(system, level) };
}

/** All pairs of systems, in the order (0,1), (0,2), ..., (1,2), ...; `queries` are documents, 0 where no value gives them. */
export function compareReplicated(input: CompareReplicatedInput): Comparison[] {
  const { systems: names, values, metric, margin = defaultMargin, seed = 1, test } = input;
  if (names.length !== values.length) {
    throw new RangeError(`one value a system: ${values.length} for ${names.length} systems`);
  }
  const systems = readSystems(values, seed);
  const rows = systems.flatMap((x, a) =>
    systems.slice(a + 1).map((y, after) => {
      const b = a + 1 + after;
      const both = differenceOf(x, y);
      const known = both.replicates.length > 0;
      const freedom = freedomOf(both);
      const share = () => centredShare(centred(both), both.value, freedom);
      const tentative = [x, y].some(({ trained, seeds }) => trained && seeds < fewestSeeds);
      return {
        metric,
        a: names[a]!,
        b: names[b]!,
        difference: both.value,
        ...intervalOf(both, 0.95),
        p: test !== undefined && !both.trained ? test(a, b) : known ? share() : 1,
        detectable: known ? smallestDetectable(standardError(both), freedom + 1) : Number.NaN,
        queries: x.documents,
        ...(tentative ? { tentative: true as const } : {}),
        narrow: intervalOf(both, 0.9),
      };
    }),
  );
  const adjusted = holm(rows.map(({ p }) => p));
  return rows.map(({ narrow, ...row }, i) => {
    const pHolm = adjusted[i]!;
    return { ...row, pHolm, verdict: verdictOf({ ...row, pHolm, narrow, margin }) };
  });
}

/** A value or a difference of two, with all that its interval needs. */
interface Statistic {
  value: number;
  replicates: Float64Array;
  jackknife: Float64Array | undefined;
  /** Infinity where not known. */
  clusters: number;
  trained: boolean;
  /** Variance that comes from documents, of the mean over seeds. */
  documentVariance: number;
  seedParts: readonly VariancePart[];
}

interface System extends Statistic {
  /** Means over seeds on each resample. */
  centre: Float64Array;
  seeds: number;
  documents: number;
}

function readSystems(systems: readonly ReplicatedValues[], seed: number): System[] {
  const random = resamplingStreams(seed).seeds;
  const seedsOf = systems.map((values) => ('value' in values ? [values] : values));
  const resamples = seedsOf[0]?.[0]?.replicates.length ?? 0;
  const clusters = seedsOf[0]?.[0]?.clusters;
  for (const own of seedsOf) {
    if (own.length === 0) throw new RangeError('a trained system needs at least one seed');
    for (const one of own) checkValue(one, resamples, clusters);
  }
  return seedsOf.map((own, s): System => {
    const replicates = own.map((one) => one.replicates);
    const jackknives = own.map((one) => one.jackknife).filter((values) => values !== undefined);
    const centre = average(replicates);
    const independent = clusters ?? Number.POSITIVE_INFINITY;
    return {
      value: own.reduce((sum, { value }) => sum + value, 0) / own.length,
      centre,
      replicates: own.length === 1 ? centre : drawSeeds(replicates, random),
      jackknife: jackknives.length === own.length ? average(jackknives) : undefined,
      clusters: independent,
      trained: !('value' in systems[s]!),
      documentVariance: documentVariance(centre, independent),
      seedParts: own.length === 1 ? [] : [seedPart(own.map(({ value }) => value))],
      seeds: own.length,
      documents: own[0]!.documents ?? 0,
    };
  });
}

function checkValue(
  { value, replicates, jackknife, clusters }: ReplicatedValue,
  resamples: number,
  all?: number,
): void {
  if (replicates.length !== resamples || clusters !== all) {
    throw inputError('values on resamples can be compared only where all systems share their resamples', {
      code: 'replicates.shared',
      expected: `${resamples} resamples of ${all ?? 'unnamed'} clusters`,
      found: `${replicates.length} of ${clusters ?? 'unnamed'}`,
      hint: 'Make them with the same seed, number of resamples and clusters.',
    });
  }
  if (!(Number.isFinite(value) && replicates.every(Number.isFinite) && (jackknife?.every(Number.isFinite) ?? true))) {
    throw new RangeError(`the value ${value} or one of its replicates is not a finite number`);
  }
}

function differenceOf(x: System, y: System): Statistic {
  return {
    value: x.value - y.value,
    replicates: minus(x.replicates, y.replicates),
    jackknife: x.jackknife && y.jackknife ? minus(x.jackknife, y.jackknife) : undefined,
    clusters: x.clusters,
    trained: x.trained || y.trained,
    documentVariance: documentVariance(minus(x.centre, y.centre), x.clusters),
    seedParts: [...x.seedParts, ...y.seedParts],
  };
}

function intervalOf(statistic: Statistic, level: number): { lower: number; upper: number } {
  const { value, replicates, jackknife, clusters, trained } = statistic;
  if (replicates.length === 0) return { lower: Number.NaN, upper: Number.NaN };
  const normal = normalQuantile((1 + level) / 2);
  if (trained) {
    const { lower, upper } = percentileInterval(centred(statistic).sort(), normal);
    const wider = widening(level, freedomOf(statistic));
    return { lower: value + wider * (lower - value), upper: value + wider * (upper - value) };
  }
  const z = Number.isFinite(clusters) ? expandedQuantile(level, clusters) : normal;
  return bcaInterval(
    replicates.slice().sort(),
    value,
    jackknife === undefined ? 0 : leaveOneOutAcceleration(jackknife),
    z,
  );
}

/** Replicates moved so that their mean is the value. */
function centred({ value, replicates }: Statistic): Float64Array {
  let sum = 0;
  for (const replicate of replicates) sum += replicate;
  const move = value - sum / replicates.length;
  return replicates.map((replicate) => replicate + move);
}

/** The spread of replicates lacks the factor C/(C-1) that a variance from C clusters has. */
function documentVariance(replicates: Float64Array, clusters: number): number {
  return deviation(replicates) ** 2 * (Number.isFinite(clusters) ? clusters / (clusters - 1) : 1);
}

function freedomOf({ documentVariance: variance, clusters, seedParts }: Statistic): number {
  return satterthwaite([{ variance, freedom: clusters - 1 }, ...seedParts]);
}

function standardError({ documentVariance: variance, seedParts }: Statistic): number {
  return Math.sqrt(seedParts.reduce((sum, part) => sum + part.variance, variance));
}
