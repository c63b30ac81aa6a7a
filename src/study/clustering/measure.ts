/**
 * Everything that is measured of one system's clusterings. Each seed's clustering is held fixed while families are drawn anew
 * (clustering-bootstrap.ts); what the seeds do to the value comes in as with trained systems (replicates.ts). So the interval
 * covers which documents were there and where k-means began, not what clustering another sample would find: that is what the
 * bootstraps show, each clustered anew.
 *
 * Tables of clusters and labels are those of the first seed. Two labels lie together with the chance Σ_c n_ac n_bc / (n_a n_b)
 * over clusters c; for two different documents of one label n_ac (n_ac - 1) and n_a (n_a - 1) take their place.
 */
import { type ClusteringMeasure, clusteringMetrics, contingencyTable } from '../../metrics/clustering.ts';
import { bootstrapClustering } from '../../metrics/clustering-bootstrap.ts';
import { estimateReplicated, type ReplicatedValue } from '../../metrics/replicates.ts';
import type { Estimate } from '../../metrics/types.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { ClusterGround } from './ground.ts';
import type { ClusteringCell, ClusterRow, MixedLabels, SpreadLabel } from './results.ts';
import type { Clustered } from './run.ts';

/** Measures by the names of reports; the first is the headline. */
export const clusterMeasures: readonly (readonly [name: string, measure: ClusteringMeasure])[] = [
  ['v-measure', 'vMeasure'],
  ['ami', 'ami'],
  ['ari', 'ari'],
  ['homogeneity', 'homogeneity'],
  ['completeness', 'completeness'],
  ['nmi', 'nmi'],
  ['purity', 'purity'],
];

/** Metrics with a table of all pairs; the replicates of these are kept. AMI and ARI take out what chance gives. */
export const comparedMeasures = clusterMeasures.slice(0, 3);

/** Labels named in a cluster's row, clusters named in a label's. */
const named = 5;
/** Pairs of labels listed, and the labels, those of most documents, among which they are sought. */
const [mixedPairs, mixedAmong] = [50, 200];

export interface Measured extends Pick<ClusteringCell, 'metrics' | 'runs' | 'perCluster' | 'perLabel' | 'mixed'> {
  /** Compared metric -> one value with its resamples a seed. */
  replicates: Record<string, ReplicatedValue[]>;
}

export function measureClusterings(
  { truth, families, names }: ClusterGround,
  { runs }: Clustered,
  { seed, resamples }: EvaluateSettings,
): Measured {
  const values = runs.map(({ labels }) => bootstrapClustering(truth, labels, families, { seed, resamples }));
  const of = (measure: ClusteringMeasure) => values.map((own) => own[measure]);
  return {
    metrics: Object.fromEntries(
      clusterMeasures.map(([name, measure]) => [
        name,
        within(estimateReplicated(of(measure), { seed }), least(measure)),
      ]),
    ),
    replicates: Object.fromEntries(comparedMeasures.map(([name, measure]) => [name, of(measure)])),
    runs: runs.map(({ labels, ...run }) => ({ ...run, metrics: clusteringMetrics(truth, labels) })),
    ...tables(truth, runs[0]!.labels, names),
  };
}

interface Counted {
  /** Of a cluster or a label. */
  number: number;
  documents: number;
}

/** Which labels lie in which clusters. */
export function tables(
  truth: Int32Array,
  assigned: Int32Array,
  names: readonly string[],
): Pick<ClusteringCell, 'perCluster' | 'perLabel' | 'mixed'> {
  const { cellOf, counts } = contingencyTable(truth, assigned);
  const byCluster = new Map<number, Counted[]>();
  const byLabel = new Map<number, Counted[]>();
  const seen = new Uint8Array(counts.length);
  cellOf.forEach((cell, document) => {
    if (seen[cell] === 1) return;
    seen[cell] = 1;
    const [label, cluster, documents] = [truth[document]!, assigned[document]!, counts[cell]!];
    byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), { number: label, documents }]);
    byLabel.set(label, [...(byLabel.get(label) ?? []), { number: cluster, documents }]);
  });
  const sorted = (map: Map<number, Counted[]>) =>
    [...map].map(([number, parts]) => {
      const ordered = parts.sort((a, b) => b.documents - a.documents || a.number - b.number);
      return { number, parts: ordered, documents: ordered.reduce((sum, part) => sum + part.documents, 0) };
    });
  const clusters = sorted(byCluster).sort((a, b) => b.documents - a.documents || a.number - b.number);
  const labels = sorted(byLabel).sort((a, b) => b.documents - a.documents || a.number - b.number);
  return {
    perCluster: clusters.map(
      ({ number, documents, parts }): ClusterRow => ({
        cluster: number,
        documents,
        purity: parts[0]!.documents / documents,
        labels: parts.slice(0, named).map((part) => ({ label: names[part.number]!, documents: part.documents })),
      }),
    ),
    perLabel: labels.map(
      ({ number, documents, parts }): SpreadLabel => ({
        label: names[number]!,
        documents,
        spread: Math.exp(
          -parts.reduce((sum, part) => sum + (part.documents / documents) * Math.log(part.documents / documents), 0),
        ),
        clusters: parts.slice(0, named).map((part) => ({ cluster: part.number, documents: part.documents })),
      }),
    ),
    mixed: mixedLabels(labels.slice(0, mixedAmong), byCluster, names),
  };
}

function mixedLabels(
  labels: readonly { number: number; documents: number; parts: readonly Counted[] }[],
  byCluster: ReadonlyMap<number, readonly Counted[]>,
  names: readonly string[],
): MixedLabels[] {
  const place = new Map(labels.map(({ number }, at) => [number, at]));
  const together = new Float64Array(labels.length ** 2);
  for (const parts of byCluster.values()) {
    const own = parts.flatMap(({ number, documents }) => {
      const at = place.get(number);
      return at === undefined ? [] : [{ at, documents }];
    });
    for (const a of own)
      for (const b of own) if (a.at < b.at) together[a.at * labels.length + b.at]! += a.documents * b.documents;
  }
  const within = labels.map(({ documents, parts }) =>
    documents < 2
      ? 1
      : parts.reduce((sum, part) => sum + part.documents * (part.documents - 1), 0) / (documents * (documents - 1)),
  );
  const pairs = Array.from(together.keys()).flatMap((at): MixedLabels[] => {
    if (together[at] === 0) return [];
    const [i, j] = [Math.floor(at / labels.length), at % labels.length];
    const [a, b] = [labels[i]!, labels[j]!];
    return [
      {
        a: names[a.number]!,
        b: names[b.number]!,
        together: together[at]! / (a.documents * b.documents),
        within: [within[i]!, within[j]!],
      },
    ];
  });
  return pairs.sort((x, y) => y.together - x.together).slice(0, mixedPairs);
}

/** What takes out chance may fall below 0. */
function least(measure: ClusteringMeasure): number {
  return measure === 'ami' || measure === 'ari' ? -1 : 0;
}

/** Intervals are widened beyond what resamples gave. */
function within({ value, lower, upper }: Estimate, lowest: number): Estimate {
  return { value, lower: Math.max(lowest, lower), upper: Math.min(1, upper) };
}
