/**
 * The scores of one experiment of an MTEB classification task, as scikit-learn computes them: macro and weighted means run
 * over the labels that are true or predicted somewhere; a label without a prediction or a true case has 0 where it divides by 0.
 */

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
  const support = new Float64Array(labels);
  const chosen = new Float64Array(labels);
  const right = new Float64Array(labels);
  for (let i = 0; i < truth.length; i++) {
    support[truth[i]!]!++;
    chosen[predicted[i]!]!++;
    if (truth[i] === predicted[i]) right[truth[i]!]!++;
  }
  const sums = { f1: 0, precision: 0, recall: 0 };
  const weighted = { f1: 0, precision: 0, recall: 0 };
  let present = 0;
  let correct = 0;
  for (let label = 0; label < labels; label++) {
    if (support[label] === 0 && chosen[label] === 0) continue;
    present++;
    correct += right[label]!;
    const of = {
      f1: ratio(2 * right[label]!, support[label]! + chosen[label]!),
      precision: ratio(right[label]!, chosen[label]!),
      recall: ratio(right[label]!, support[label]!),
    };
    for (const name of ['f1', 'precision', 'recall'] as const) {
      sums[name] += of[name];
      weighted[name] += of[name] * support[label]!;
    }
  }
  const ap = support.filter((count) => count > 0).length === 2 ? averagePrecision(truth, predicted) : null;
  return {
    accuracy: correct / truth.length,
    f1: sums.f1 / present,
    f1_weighted: weighted.f1 / truth.length,
    precision: sums.precision / present,
    precision_weighted: weighted.precision / truth.length,
    recall: sums.recall / present,
    recall_weighted: weighted.recall / truth.length,
    ap,
    ap_weighted: ap,
  };
}

const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);

/** Sum over thresholds of (recall gained) x precision; label 1 is the positive one, higher codes are higher scores. */
function averagePrecision(truth: Int32Array, scores: Int32Array): number {
  const positives = truth.reduce((sum, label) => sum + (label === 1 ? 1 : 0), 0);
  if (positives === 0) return 0;
  let area = 0;
  let found = 0;
  let taken = 0;
  for (const threshold of [...new Set(scores)].sort((a, b) => b - a)) {
    let gained = 0;
    for (let i = 0; i < truth.length; i++) {
      if (scores[i] !== threshold) continue;
      taken++;
      if (truth[i] === 1) gained++;
    }
    found += gained;
    area += (gained / positives) * (found / taken);
  }
  return area;
}
