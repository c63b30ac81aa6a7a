/**
 * Bootstrap replicates of every measure of clustering.ts over families of documents, with the clustering held fixed: how much the
 * scores owe to which documents were there, not to the start of the clustering (for that, bring one value a seed).
 *
 * A document drawn twice agrees with itself, so that replicates of ARI and V-measure lie too high: the intervals of
 * replicates.ts are moved to the value and take their width from the jackknife. Families are first merged at random into at
 * most 1,000 groups, which are left out one at a time (delete-a-group jackknife).
 * Cost: (resamples + groups) x (documents + cells of the contingency table + expected mutual information).
 */
import {
  type ClusteringMeasure,
  type ClusteringMetrics,
  clusteringMeasures,
  contingencyTable,
  tableMetrics,
} from './clustering.ts';
import type { ReplicatedValue } from './replicates.ts';
import { groupQueries, mergeGroups, resamplingStreams } from './resample.ts';

const mostGroups = 1000;

/** Every measure with its values on resamples; `families` names the family of each document, each its own where undefined. */
export function bootstrapClustering(
  truth: ArrayLike<number>,
  assigned: ArrayLike<number>,
  families?: ArrayLike<number>,
  { seed = 1, resamples = 2000 }: { seed?: number; resamples?: number } = {},
): Record<ClusteringMeasure, ReplicatedValue> {
  const table = contingencyTable(truth, assigned);
  const random = resamplingStreams(seed);
  const { groups, of } = mergeGroups(groupQueries(truth.length, families), random.merge, mostGroups);
  const values = tableMetrics(table);
  const enough = groups >= 2;
  const counts = new Float64Array(table.counts.length);
  const weights = new Int32Array(groups);
  const weighted = (): ClusteringMetrics => {
    counts.fill(0);
    for (let d = 0; d < of.length; d++) counts[table.cellOf[d]!]! += weights[of[d]!]!;
    return tableMetrics(table, counts);
  };
  const drawn = Array.from({ length: enough ? resamples : 0 }, () => {
    weights.fill(0);
    for (let i = 0; i < groups; i++) weights[Math.floor(random.bootstrap.uint32() * (groups / 0x100000000))]!++;
    return weighted();
  });
  weights.fill(1);
  const left = Array.from({ length: enough ? groups : 0 }, (_, group) => {
    weights[group] = 0;
    const metrics = weighted();
    weights[group] = 1;
    return metrics;
  });
  const entry = (measure: ClusteringMeasure): ReplicatedValue => ({
    value: values[measure],
    replicates: Float64Array.from(drawn, (metrics) => metrics[measure]),
    ...(enough ? { jackknife: Float64Array.from(left, (metrics) => metrics[measure]) } : {}),
    clusters: groups,
    documents: truth.length,
  });
  return Object.fromEntries(clusteringMeasures.map((measure) => [measure, entry(measure)])) as Record<
    ClusteringMeasure,
    ReplicatedValue
  >;
}
