/**
 * All systems of one corpus and view against one another, and all views of one system: intervals and p from shared resamples of
 * families and from the seeds of k-means (metrics/replicates.ts), Holm over all pairs of a table.
 */
import { compareReplicated } from '../../metrics/replicates.ts';
import type { Comparison } from '../../metrics/types.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { FinishedClustering } from './cell.ts';
import { comparedMeasures } from './measure.ts';
import type { ClusteringCell, ClusteringComparison, ClusteringViews } from './results.ts';

interface Row {
  result: ClusteringCell;
  cell: FinishedClustering;
}

/** Rows of one corpus and view. */
export function compareClusterings(rows: readonly Row[], settings: EvaluateSettings): ClusteringComparison[] {
  if (rows.length < 2) return [];
  const { corpus, view } = rows[0]!.result;
  const systems = rows.map(({ result }) => result.model);
  return pairsOf(rows, systems, settings).map((table) => ({ corpus, view, systems, ...table }));
}

/** Rows of one corpus and system. */
export function compareClusteredViews(rows: readonly Row[], settings: EvaluateSettings): ClusteringViews[] {
  if (rows.length < 2) return [];
  const { corpus, model } = rows[0]!.result;
  const views = rows.map(({ result }) => result.view);
  return pairsOf(rows, views, settings).map((table) => ({ corpus, model, views, ...table }));
}

function pairsOf(
  rows: readonly Row[],
  names: readonly string[],
  { margin, seed }: EvaluateSettings,
): { metric: string; margin: number; pairs: Comparison[] }[] {
  return comparedMeasures.map(([metric]) => ({
    metric,
    margin,
    pairs: compareReplicated({
      systems: names,
      values: rows.map(({ cell }) => cell.replicates[metric]!),
      metric,
      margin,
      seed,
    }),
  }));
}
