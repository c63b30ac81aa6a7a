/** Classification results put in order for showing: classifiers of one corpus and view, best first. Nothing is computed anew. */
import { findPair } from '../metrics/comparison.ts';
import type { Comparison } from '../metrics/types.ts';
import {
  type ClassificationCell,
  type ClassificationResults,
  classifierName,
} from '../study/classification/results.ts';
import { metricName } from './format.ts';
import { unique } from './standings.ts';

/** All classifiers of one corpus x view, best first by micro-F1. */
export interface ClassifierGroup {
  corpus: string;
  view: string;
  cells: ClassificationCell[];
  best: ClassificationCell;
}

/** What orders tables. */
export const leading = 'micro-f1';

export function classifierGroups({ cells }: ClassificationResults): ClassifierGroup[] {
  return [...Map.groupBy(cells, ({ corpus, view }) => JSON.stringify([corpus, view])).values()].map((group) => {
    const sorted = group.toSorted((a, b) => metricOf(b, leading) - metricOf(a, leading));
    const best = sorted[0]!;
    return { corpus: best.corpus, view: best.view, cells: sorted, best };
  });
}

/** Every classifier's place over all corpora and views: its colour and mark. */
export function classifierOrder(results: ClassificationResults): string[] {
  return unique(results.cells.toSorted((a, b) => metricOf(b, leading) - metricOf(a, leading)).map(classifierName));
}

export function metricOf(cell: ClassificationCell, metric: string): number {
  return cell.metrics[metric]?.value ?? Number.NEGATIVE_INFINITY;
}

/** The best by a metric. */
export function bestBy({ cells }: ClassifierGroup, metric: string): ClassificationCell {
  return cells.reduce((a, b) => (metricOf(b, metric) > metricOf(a, metric) ? b : a));
}

/** Classifier `a` against `b`; undefined where not tested. */
export function compared(
  { comparisons }: ClassificationResults,
  { corpus, view }: Pick<ClassifierGroup, 'corpus' | 'view'>,
  metric: string,
  a: ClassificationCell,
  b: ClassificationCell,
): Comparison | undefined {
  const table = comparisons.find(
    (candidate) => candidate.corpus === corpus && candidate.view === view && candidate.metric === metric,
  );
  return table && findPair(table.pairs, classifierName(a), classifierName(b));
}

/** Metrics of which all pairs of a group were tested, fixed thresholds first; where there is only one classifier the headline. */
export function testedMetrics(results: ClassificationResults, { corpus, view }: ClassifierGroup): string[] {
  const tested = results.comparisons.filter((table) => table.corpus === corpus && table.view === view);
  return tested.length === 0 ? [leading, 'macro-f1'] : tested.map(({ metric }) => metric);
}

/** As `metricName`, but mAP is a mean over labels here. */
export function measureName(metric: string): string {
  return metric === 'map' ? 'mAP' : metricName(metric);
}
