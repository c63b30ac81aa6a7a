/**
 * Everything that is measured of one classifier. Label sets: F1 and their like with bootstrap intervals over families, by fixed
 * thresholds and by tuned ones (each fifth of the test documents is decided by thresholds chosen on the others, families whole, so
 * that none had a say in its own). Scores: P@k, R@k and LRAP as means over documents; mAP and calibration by linearisation
 * (influence.ts).
 */
import { type CrossFitThresholds, crossFitThresholds } from '../../classify/thresholds.ts';
import { calibration, topLabelCalibration } from '../../metrics/calibration.ts';
import { rankingMetrics } from '../../metrics/label-ranking.ts';
import type { LabelSets } from '../../metrics/label-sets.ts';
import { type MultilabelMeasure, perLabel } from '../../metrics/multilabel.ts';
import { bootstrapMultilabels } from '../../metrics/multilabel-bootstrap.ts';
import { estimateReplicated, type ReplicatedValue } from '../../metrics/replicates.ts';
import { estimateMeans } from '../../metrics/significance.ts';
import type { Estimate } from '../../metrics/types.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { Ground } from './ground.ts';
import { calibrationMoves, linearised, precisionMoves } from './influence.ts';
import { coarserLabels } from './levels.ts';
import {
  cuts,
  type DecisionRule,
  decisionSuffixes,
  levelResamples,
  reliabilityBins,
  thresholdFolds,
} from './options.ts';
import type { Probed } from './probe.ts';
import type { ClassificationCell, LabelRow, LevelScore } from './results.ts';

/** Measures of label sets by the names of reports; the first two are the headline. */
export const setMeasures: readonly (readonly [name: string, measure: MultilabelMeasure])[] = [
  ['micro-f1', 'f1Micro'],
  ['macro-f1', 'f1Macro'],
  ['weighted-f1', 'f1Weighted'],
  ['sample-f1', 'f1Samples'],
  ['micro-precision', 'precisionMicro'],
  ['micro-recall', 'recallMicro'],
  ['subset-accuracy', 'subsetAccuracy'],
  ['hamming', 'hamming'],
];

/** Metrics with a table of all pairs; the replicates of these are kept. */
export const comparedMeasures = setMeasures.slice(0, 2);

/** Labels of the test documents by each rule. */
export type Decided = { fixed: LabelSets } & Partial<Record<DecisionRule, LabelSets>>;

export interface Measured
  extends Pick<ClassificationCell, 'metrics' | 'perLabel' | 'levels' | 'reliability' | 'sharedThresholds'> {
  /** Labels by each rule; `fixed` alone where documents have one label. */
  decided: Decided;
  /** Compared metric (with its rule's ending) -> value on resamples. */
  replicates: Record<string, ReplicatedValue>;
}

export function measureClassifier(
  { names, train, test, card }: Ground,
  { scores, predicted }: Probed,
  { seed, resamples }: EvaluateSettings,
): Measured {
  const labels = names.length;
  const { truth, groups } = test;
  const options = { seed, resamples };
  const metrics: Record<string, Estimate> = {};
  const replicates: Record<string, ReplicatedValue> = {};
  const levels: LevelScore[] = [];
  const coarser = coarserLabels(names, card.level);
  const fitted = card.kind === 'multi-label' ? tune(scores, truth, labels, groups, seed) : undefined;
  const decided: Decided = {
    fixed: predicted,
    ...(fitted === undefined ? {} : { shared: fitted.shared, tuned: fitted.predicted }),
  };
  const systems = rulesOf(decided);
  const above = coarser.map((level) => ({ ...level, truth: level.cut(truth) }));
  const wanted = systems.flatMap(([, sets]) => [
    { truth, predicted: sets, labels },
    ...above.map((level) => ({
      truth: level.truth,
      predicted: level.cut(sets),
      labels: level.names.length,
      resamples: levelResamples,
    })),
  ]);
  const found = bootstrapMultilabels(wanted, groups, options);
  systems.forEach(([thresholds], s) => {
    const [values, ...own] = found.slice(s * (1 + above.length), (s + 1) * (1 + above.length));
    const suffix = decisionSuffixes[thresholds];
    for (const [name, measure] of setMeasures)
      metrics[`${name}${suffix}`] = within(estimateReplicated(values![measure], { seed }));
    for (const [name, measure] of comparedMeasures) replicates[`${name}${suffix}`] = values![measure];
    own.forEach(({ f1Micro, f1Macro }, l) => {
      levels.push({
        level: above[l]!.level,
        labels: above[l]!.names.length,
        thresholds,
        microF1: within(estimateReplicated(f1Micro, { seed })),
        macroF1: within(estimateReplicated(f1Macro, { seed })),
      });
    });
  });
  const ranking = rankingMetrics(truth, scores, labels);
  const { lrap, precisionAt, recallAt } = ranking.documents;
  const ks = cuts.filter((k) => k <= labels);
  const means = {
    ...Object.fromEntries(ks.map((k) => [`p@${k}`, precisionAt(k)])),
    ...Object.fromEntries(ks.map((k) => [`recall@${k}`, recallAt(k)])),
    lrap,
  };
  const estimates = estimateMeans(Object.values(means), groups, options);
  Object.keys(means).forEach((name, i) => {
    metrics[name] = estimates[i]!;
  });
  metrics.map = linearised(ranking.map, precisionMoves(truth, scores, labels), groups);
  const single = card.kind === 'multi-class';
  const reliability = (single ? topLabelCalibration : calibration)(truth, scores, labels, reliabilityBins);
  const moves = calibrationMoves(truth, scores, labels, reliability, single);
  metrics.ece = linearised(reliability.ece, moves.ece, groups);
  metrics.brier = linearised(reliability.brier, moves.brier, groups);
  const tunedRows = fitted && perLabel(truth, fitted.predicted, labels);
  return {
    metrics,
    perLabel: perLabel(truth, predicted, labels).map(
      ({ label, support, predicted: given, precision, recall, f1 }): LabelRow => ({
        label: names[label]!,
        train: train.support[label]!,
        support,
        predicted: given,
        precision,
        recall,
        f1,
        averagePrecision: ranking.averagePrecision[label]!,
        ...(fitted === undefined
          ? {}
          : {
              tunedF1: tunedRows![label]!.f1,
              threshold:
                fitted.thresholds.reduce((sum, { values }) => sum + values[label]!, 0) / fitted.thresholds.length,
            }),
      }),
    ),
    levels,
    reliability: reliability.bins,
    decided,
    ...(fitted === undefined ? {} : { sharedThresholds: sharedThresholds(fitted) }),
    replicates,
  };
}

/** Rules with the labels they gave, in the order of the rules. */
export function rulesOf(decided: Decided): [DecisionRule, LabelSets][] {
  return (Object.keys(decisionSuffixes) as DecisionRule[]).flatMap((rule): [DecisionRule, LabelSets][] => {
    const sets = decided[rule];
    return sets === undefined ? [] : [[rule, sets]];
  });
}

/** Undefined where all test documents are of one family. */
function tune(
  scores: Float32Array,
  truth: LabelSets,
  labels: number,
  groups: Int32Array,
  seed: number,
): CrossFitThresholds | undefined {
  if (new Set(groups).size < 2) return undefined;
  return crossFitThresholds(scores, truth, { labels, clusters: groups, folds: thresholdFolds, seed });
}

/** Labels that have the shared threshold in some fold. */
function sharedThresholds({ thresholds }: CrossFitThresholds): number {
  return new Set(thresholds.flatMap(({ rare }) => Array.from(rare))).size;
}

/** Intervals are widened beyond what resamples gave; none of these measures can leave 0 to 1. */
function within({ value, lower, upper }: Estimate): Estimate {
  return { value, lower: Math.max(0, lower), upper: Math.min(1, upper) };
}
