/**
 * The scores of one experiment of an MTEB classification task, as scikit-learn computes them: macro and weighted means run
 * over the labels that are true or predicted somewhere; a label without a prediction or a true case has 0 where it divides by 0.
 */
import { rankingMetrics } from '../../metrics/label-ranking.ts';
import { labelSets } from '../../metrics/label-sets.ts';
import { type LabelScore, perLabel } from '../../metrics/multilabel.ts';
import { singleLabels } from './sampling.ts';

export interface ClassScores {
  accuracy: number;
  f1: number;
  f1_weighted: number;
  precision: number;
  precision_weighted: number;
  recall: number;
  recall_weighted: number;
  /** Average precision of the predicted label as a score, where two labels are true; else null. */
  ap: number | null;
  ap_weighted: number | null;
}

/** Labels are codes from 0 to `labels` - 1. */
export function classScores(truth: Int32Array, predicted: Int32Array, labels: number): ClassScores {
  const all = perLabel(singleLabels(truth), singleLabels(predicted), labels);
  const met = all.filter((of) => of.support > 0 || of.predicted > 0);
  const sum = (value: (of: LabelScore) => number) => met.reduce((total, of) => total + value(of), 0);
  const macro = (name: 'f1' | 'precision' | 'recall') => sum((of) => of[name]) / met.length;
  const weighted = (name: 'f1' | 'precision' | 'recall') => sum((of) => of[name] * of.support) / truth.length;
  const ap = met.filter(({ support }) => support > 0).length === 2 ? averagePrecision(truth, predicted) : null;
  return {
    accuracy: sum(({ truePositives }) => truePositives) / truth.length,
    f1: macro('f1'),
    f1_weighted: weighted('f1'),
    precision: macro('precision'),
    precision_weighted: weighted('precision'),
    recall: macro('recall'),
    recall_weighted: weighted('recall'),
    ap,
    ap_weighted: ap,
  };
}

/** Of label 1, by the predicted label as a score. */
function averagePrecision(truth: Int32Array, predicted: Int32Array): number {
  const positive = labelSets(Array.from(truth, (label) => (label === 1 ? [0] : [])));
  return rankingMetrics(positive, Float32Array.from(predicted), 1).map;
}
