/** Clustering results put in order for showing: systems of one corpus and view, best first. Nothing is computed anew. */
import { findPair } from '../metrics/comparison.ts';
import type { Comparison } from '../metrics/types.ts';
import type { ClusteringCell, ClusteringResults } from '../study/clustering/results.ts';

/** All systems of one corpus x view, best first by V-measure. */
export interface ClusterGroup {
  corpus: string;
  view: string;
  cells: ClusteringCell[];
  best: ClusteringCell;
}

/** What orders tables. */
export const headline = 'v-measure';

export function clusterGroups({ cells }: ClusteringResults): ClusterGroup[] {
  return [...Map.groupBy(cells, ({ corpus, view }) => JSON.stringify([corpus, view])).values()].map((group) => {
    const sorted = group.toSorted((a, b) => measureOf(b) - measureOf(a));
    const best = sorted[0]!;
    return { corpus: best.corpus, view: best.view, cells: sorted, best };
  });
}

/** The group of a corpus whose best system has the highest V-measure. */
export function bestClustered(results: ClusteringResults, corpus: string): ClusterGroup | undefined {
  return clusterGroups(results)
    .filter((group) => group.corpus === corpus)
    .sort((a, b) => measureOf(b.best) - measureOf(a.best))[0];
}

export function measureOf(cell: ClusteringCell, metric = headline): number {
  return cell.metrics[metric]?.value ?? Number.NEGATIVE_INFINITY;
}

/** The best by a metric. */
export function bestOf({ cells }: ClusterGroup, metric: string): ClusteringCell {
  return cells.reduce((a, b) => (measureOf(b, metric) > measureOf(a, metric) ? b : a));
}

/** Two systems on one view, or one system on two views; undefined where not tested. */
export function testedPair(
  { comparisons, viewComparisons }: ClusteringResults,
  metric: string,
  a: ClusteringCell,
  b: ClusteringCell,
): Comparison | undefined {
  const of = <T extends { corpus: string; metric: string }>(tables: readonly T[], fits: (table: T) => boolean) =>
    tables.find((table) => table.corpus === a.corpus && table.metric === metric && fits(table));
  if (a.view === b.view) {
    const table = of(comparisons, ({ view }) => view === a.view);
    return table && findPair(table.pairs, a.model, b.model);
  }
  if (a.model !== b.model) return undefined;
  const table = of(viewComparisons, ({ model }) => model === a.model);
  return table && findPair(table.pairs, a.view, b.view);
}
