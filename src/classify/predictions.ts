/** From scores of labels to probabilities and sets of labels, and back. */
import type { LabelSets } from '../metrics/label-sets.ts';

/** Several labels a document, or exactly one. */
export type ClassificationTask = 'multi-label' | 'multi-class';

/** Scores [rows, labels] become probabilities, in place: sigmoid of each, or softmax of each row. -∞ becomes 0, ∞ 1. */
export function toProbabilities(scores: Float32Array, labels: number, task: ClassificationTask): void {
  if (task === 'multi-label') for (let i = 0; i < scores.length; i++) scores[i] = 1 / (1 + Math.exp(-scores[i]!));
  else
    for (let at = 0; at < scores.length; at += labels) {
      let most = Number.NEGATIVE_INFINITY;
      for (let i = at; i < at + labels; i++) most = Math.max(most, scores[i]!);
      let sum = 0;
      for (let i = at; i < at + labels; i++) sum += scores[i] = Math.exp(scores[i]! - most);
      for (let i = at; i < at + labels; i++) scores[i]! /= sum;
    }
}

export interface DecisionOptions {
  /** A document whose scores all stay below gets the label that comes nearest to its threshold. Default false. */
  atLeastOne?: boolean;
}

/** The labels whose score is not below the label's threshold; scores [rows, labels]. */
export function decide(
  scores: Float32Array,
  thresholds: ArrayLike<number>,
  { atLeastOne = false }: DecisionOptions = {},
): LabelSets {
  const labels = thresholds.length;
  const rows = scores.length / labels;
  const offsets = new Uint32Array(rows + 1);
  const codes: number[] = [];
  for (let row = 0; row < rows; row++) {
    let nearest = -1;
    let gap = Number.NEGATIVE_INFINITY;
    for (let label = 0; label < labels; label++) {
      const over = scores[row * labels + label]! - thresholds[label]!;
      if (over >= 0) codes.push(label);
      if (over > gap) [nearest, gap] = [label, over];
    }
    if (atLeastOne && gap < 0 && nearest >= 0) codes.push(nearest);
    offsets[row + 1] = codes.length;
  }
  return { offsets, codes: Int32Array.from(codes) };
}

/** The one label of highest score a row, the first of equals; scores [rows, labels]. */
export function decideOne(scores: Float32Array, labels: number): LabelSets {
  const rows = scores.length / labels;
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let label = 1; label < labels; label++)
      if (scores[row * labels + label]! > scores[row * labels + best]!) best = label;
    codes[row] = best;
  }
  return { offsets: Uint32Array.from({ length: rows + 1 }, (_, row) => row), codes };
}

/** Label sets as scores of 0 and 1, [rows, labels]: what MTEB takes label ranking measures of. */
export function indicatorScores({ offsets, codes }: LabelSets, labels: number): Float32Array {
  const rows = offsets.length - 1;
  const scores = new Float32Array(rows * labels);
  for (let row = 0; row < rows; row++)
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) scores[row * labels + codes[i]!] = 1;
  return scores;
}
