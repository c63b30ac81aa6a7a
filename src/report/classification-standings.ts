/** Classification results put in order for showing: classifiers of one corpus and view, best first. Nothing is computed anew. */
import { findPair } from '../metrics/comparison.ts';
import type { Comparison } from '../metrics/types.ts';
import { tunedHeadlines } from '../study/classification/options.ts';
import {
  type ClassificationCell,
  type ClassificationResults,
  classifierName,
} from '../study/classification/results.ts';
import { metricName } from './format.ts';
import { unique } from './standings.ts';

/** All classifiers of one corpus x view, best first by the metric that leads. */
export interface ClassifierGroup {
  corpus: string;
  view: string;
  /** Micro-F1, then macro-F1; where thresholds are tuned each by the rule that serves it. The first orders tables. */
  headlines: readonly [string, string];
  cells: ClassificationCell[];
  best: ClassificationCell;
}

export function classifierGroups({ cells }: ClassificationResults): ClassifierGroup[] {
  return [...Map.groupBy(cells, ({ corpus, view }) => JSON.stringify([corpus, view])).values()].map((group) => {
    const tuned = group.every(({ metrics }) => tunedHeadlines.every((metric) => metrics[metric] !== undefined));
    const headlines = tuned ? tunedHeadlines : (['micro-f1', 'macro-f1'] as const);
    const sorted = group.toSorted((a, b) => metricOf(b, headlines[0]) - metricOf(a, headlines[0]));
    const best = sorted[0]!;
    return { corpus: best.corpus, view: best.view, headlines, cells: sorted, best };
  });
}

/** The view under which some classifier of these groups does best, as observed. */
export function bestGroup(groups: readonly ClassifierGroup[]): ClassifierGroup | undefined {
  return groups.toSorted((a, b) => topOf(b) - topOf(a))[0];
}

function topOf({ best, headlines }: ClassifierGroup): number {
  return metricOf(best, headlines[0]);
}

/** Every classifier's place over all corpora and views: its colour and mark. */
export function classifierOrder(results: ClassificationResults): string[] {
  return unique(
    results.cells.toSorted((a, b) => metricOf(b, 'micro-f1') - metricOf(a, 'micro-f1')).map(classifierName),
  );
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

/** Metrics of which all pairs of a group were tested; where there is only one classifier the headlines. */
export function testedMetrics(results: ClassificationResults, { corpus, view, headlines }: ClassifierGroup): string[] {
  const tested = results.comparisons.filter((table) => table.corpus === corpus && table.view === view);
  return tested.length === 0 ? [...headlines] : tested.map(({ metric }) => metric);
}

/** As `metricName`, but mAP is a mean over labels here. */
export function measureName(metric: string): string {
  return metric === 'map' ? 'mAP' : metricName(metric);
}
