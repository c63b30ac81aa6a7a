/** Tables of clustering beside the page. */
import type { EvaluationResults } from '../study/results.ts';
import { csv } from './csv.ts';
import { unique } from './standings.ts';

export const clusteringFiles = {
  leaderboard: 'clustering.csv',
  comparisons: 'clustering-comparisons.csv',
  runs: 'clustering-runs.csv',
  clusters: 'clustering-clusters.csv',
  labels: 'clustering-labels.csv',
  mixed: 'clustering-mixed-labels.csv',
  map: 'clustering-map.csv',
} as const;

/** File name -> content; none where clustering was not asked for. */
export function clusteringCsv({ clustering }: EvaluationResults): [string, string][] {
  if (clustering === undefined) return [];
  const { cells, comparisons, viewComparisons, maps } = clustering;
  const metrics = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
  const head = ['corpus', 'view', 'model'];
  const of = ({ corpus, view, model }: { corpus: string; view: string; model: string }) => [corpus, view, model];
  const tables = [
    ...comparisons.map((table) => ({ ...table, compared: 'systems', within: table.view })),
    ...viewComparisons.map((table) => ({ ...table, compared: 'views', within: table.model })),
  ];
  return [
    [
      clusteringFiles.leaderboard,
      csv(
        [
          ...head, 'documents', 'labels', 'clusters',
          ...metrics.flatMap((metric) => [metric, `${metric} lower`, `${metric} upper`]),
          'bootstrapped_v_measure', 'bootstrapped_deviation', 'bootstraps', 'trustworthiness',
          'seconds', 'encode_seconds', 'cluster_seconds', 'bootstrap_seconds', 'map_seconds', 'peak_memory_bytes', 'truncated', 'cell',
        ], // biome-ignore format: the columns, as they stand
        cells.map((cell) => [
          ...of(cell),
          cell.documents,
          cell.labels,
          cell.clusters,
          ...metrics.flatMap((metric) => {
            const estimate = cell.metrics[metric];
            return [estimate?.value, estimate?.lower, estimate?.upper];
          }),
          cell.bootstraps.mean,
          cell.bootstraps.deviation,
          cell.bootstraps.vMeasures.length,
          cell.map?.trustworthiness,
          cell.cost.seconds,
          cell.cost.encodeSeconds,
          cell.cost.clusterSeconds,
          cell.cost.bootstrapSeconds,
          cell.cost.mapSeconds,
          cell.cost.peakMemoryBytes,
          cell.cost.truncated,
          cell.manifest.cell,
        ]),
      ),
    ],
    [
      clusteringFiles.comparisons,
      csv(
        [
          'corpus', 'compared', 'within', 'metric', 'margin', 'a', 'b', 'difference', 'lower', 'upper', 'p', 'p_holm', 'verdict',
          'detectable', 'documents',
        ], // biome-ignore format: the columns, as they stand
        tables.flatMap(
          ({ corpus, compared, within, metric, margin, pairs }) =>
          pairs.map(({ a, b, difference, lower, upper, p, pHolm, verdict, detectable, queries }) => [
            corpus, compared, within, metric, margin, a, b, difference, lower, upper, p, pHolm, verdict, detectable, queries,
          ]), // biome-ignore format: one row
        ),
      ),
    ],
    [
      clusteringFiles.runs,
      csv(
        [...head, 'run', 'seed', 'v_measure', 'ami', 'ari', 'iterations', 'converged', 'inertia'],
        cells.flatMap((cell) => [
          ...cell.runs.map(({ seed, iterations, converged, inertia, metrics: { vMeasure, ami, ari } }) => [
            ...of(cell), 'all documents', seed, vMeasure, ami, ari, iterations, converged, inertia,
          ]), // biome-ignore format: one row
          ...cell.bootstraps.vMeasures.map((value, at) => [...of(cell), `sample ${at + 1}`, undefined, value]),
        ]),
      ),
    ],
    [
      clusteringFiles.clusters,
      csv(
        [...head, 'cluster', 'documents', 'purity', 'labels'],
        cells.flatMap((cell) =>
          cell.perCluster.map(({ cluster, documents, purity, labels }) => [
            ...of(cell),
            cluster,
            documents,
            purity,
            labels.map(({ label, documents }) => `${label} ${documents}`).join('; '),
          ]),
        ),
      ),
    ],
    [
      clusteringFiles.labels,
      csv(
        [...head, 'label', 'documents', 'spread', 'clusters'],
        cells.flatMap((cell) =>
          cell.perLabel.map(({ label, documents, spread, clusters }) => [
            ...of(cell),
            label,
            documents,
            spread,
            clusters.map(({ cluster, documents }) => `${cluster}: ${documents}`).join('; '),
          ]),
        ),
      ),
    ],
    [
      clusteringFiles.mixed,
      csv(
        [...head, 'a', 'b', 'together', 'within_a', 'within_b'],
        cells.flatMap((cell) =>
          cell.mixed.map(({ a, b, together, within }) => [...of(cell), a, b, together, ...within]),
        ),
      ),
    ],
    [
      clusteringFiles.map,
      csv(
        [...head, 'document', 'title', 'label', 'cluster', 'x', 'y'],
        maps.flatMap(
          (map) =>
          map.ids.map((id, i) => [
            ...of(map), id, map.titles[i], map.names[map.labels[i]!], map.clusters[i], map.x[i], map.y[i],
          ]), // biome-ignore format: one row
        ),
      ),
    ],
  ];
}
