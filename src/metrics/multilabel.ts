/**
 * Measures of predicted label sets, as scikit-learn defines them for indicator matrices with zero_division = 0.
 *
 *   precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN), each 0 where it would be 0 / 0
 *   micro     over the sums of all labels' counts           macro     mean over all `labels`
 *   weighted  mean over labels weighted by their positives  samples   mean over documents, each with its own counts
 *   Hamming loss     (FP + FN) / (documents x labels)       subset accuracy  share of documents with exactly their labels
 *
 * What follows for empty cases: a label with neither positive nor prediction has F1 0 and counts in macro; a document with
 * neither label nor prediction has F1 0 in samples, although it is right in subset accuracy; without any positive the
 * weighted F1 is 0. No document, or no label, is an input error. Nothing is ever NaN.
 *
 * The measures read counts only, so that the bootstrap (replicates.ts) computes them from weighted counts.
 */
import { checkPredictions, type LabelSets } from './label-sets.ts';

/** All measures, in the order tables show them. */
export const multilabelMeasures = [
  'f1Micro',
  'f1Macro',
  'f1Weighted',
  'f1Samples',
  'precisionMicro',
  'precisionMacro',
  'recallMicro',
  'recallMacro',
  'hamming',
  'subsetAccuracy',
] as const;

/** `hamming` is a loss: lower is better. With one label a document `subsetAccuracy` is the accuracy. */
export type MultilabelMeasure = (typeof multilabelMeasures)[number];

export type MultilabelMetrics = Record<MultilabelMeasure, number>;

/** One label's row of a table. */
export interface LabelScore {
  label: number;
  /** Documents that have it. */
  support: number;
  /** Documents it was predicted for. */
  predicted: number;
  truePositives: number;
  precision: number;
  recall: number;
  f1: number;
}

/** What the measures are computed from; counts may be weighted sums over documents. */
export interface LabelCounts {
  /** [labels] documents that have the label. */
  support: Float64Array;
  /** [labels] documents it was predicted for. */
  predicted: Float64Array;
  /** [labels] */
  truePositives: Float64Array;
  /** Documents, sum of their F1, and how many have exactly their labels. */
  documents: number;
  f1Sum: number;
  exact: number;
}

/** All measures of predictions for the same documents; see the head of this file. */
export function multilabelMetrics(truth: LabelSets, predicted: LabelSets, labels: number): MultilabelMetrics {
  return metricsOfCounts(countLabels(truth, predicted, labels));
}

/** Counts, precision, recall and F1 of every label, in the order of label numbers. */
export function perLabel(truth: LabelSets, predicted: LabelSets, labels: number): LabelScore[] {
  const counts = countLabels(truth, predicted, labels);
  return Array.from(counts.support, (support, label) => {
    const [guesses, truePositives] = [counts.predicted[label]!, counts.truePositives[label]!];
    return {
      label,
      support,
      predicted: guesses,
      truePositives,
      precision: ratio(truePositives, guesses),
      recall: ratio(truePositives, support),
      f1: ratio(2 * truePositives, support + guesses),
    };
  });
}

/** F1 of every document, whose mean is `f1Samples`: values for `comparePairs`. */
export function documentF1(truth: LabelSets, predicted: LabelSets, labels: number): Float64Array {
  const documents = checkPredictions(truth, predicted, labels);
  const values = new Float64Array(documents);
  for (let d = 0; d < documents; d++) {
    const all = rowLength(truth, d) + rowLength(predicted, d);
    values[d] = ratio(2 * eachEvent(truth, predicted, d, ignore), all);
  }
  return values;
}

/** Checks the sets and counts over all documents. */
export function countLabels(truth: LabelSets, predicted: LabelSets, labels: number): LabelCounts {
  const documents = checkPredictions(truth, predicted, labels);
  const counts: LabelCounts = {
    support: new Float64Array(labels),
    predicted: new Float64Array(labels),
    truePositives: new Float64Array(labels),
    documents,
    f1Sum: 0,
    exact: 0,
  };
  const count = (label: number, inTruth: boolean, inPredicted: boolean): void => {
    if (inTruth) counts.support[label]!++;
    if (inPredicted) counts.predicted[label]!++;
    if (inTruth && inPredicted) counts.truePositives[label]!++;
  };
  for (let d = 0; d < documents; d++) {
    const shared = eachEvent(truth, predicted, d, count);
    const [has, guessed] = [rowLength(truth, d), rowLength(predicted, d)];
    counts.f1Sum += ratio(2 * shared, has + guessed);
    if (shared === has && shared === guessed) counts.exact++;
  }
  return counts;
}

/** Every measure from counts. */
export function metricsOfCounts(counts: LabelCounts): MultilabelMetrics {
  return metricsOfSums(sumLabels(counts), counts.support.length);
}

/** Sums over labels and documents from which every measure follows. */
export interface LabelSums {
  /** Positives, predictions and both, over all labels. */
  support: number;
  predicted: number;
  truePositives: number;
  /** Sums over labels of their scores, the last one weighted by support. */
  precision: number;
  recall: number;
  f1: number;
  weighted: number;
  documents: number;
  f1Sum: number;
  exact: number;
}

export function sumLabels(counts: LabelCounts): LabelSums {
  const { documents, f1Sum, exact } = counts;
  const sums: LabelSums = {
    support: 0,
    predicted: 0,
    truePositives: 0,
    precision: 0,
    recall: 0,
    f1: 0,
    weighted: 0,
    documents,
    f1Sum,
    exact,
  };
  for (let l = 0; l < counts.support.length; l++) {
    addLabel(sums, counts.support[l]!, counts.predicted[l]!, counts.truePositives[l]!, 1);
  }
  return sums;
}

/** Adds one label's counts `times` (1, or -1 to take it away). */
export function addLabel(sums: LabelSums, support: number, predicted: number, truePositives: number, times: number) {
  sums.support += times * support;
  sums.predicted += times * predicted;
  if (truePositives === 0) return; // all its scores are 0
  sums.truePositives += times * truePositives;
  sums.precision += times * (truePositives / predicted);
  sums.recall += times * (truePositives / support);
  const f1 = (2 * truePositives) / (support + predicted);
  sums.f1 += times * f1;
  sums.weighted += times * support * f1;
}

export function metricsOfSums(sums: LabelSums, labels: number): MultilabelMetrics {
  const { support, predicted, truePositives, documents } = sums;
  return {
    f1Micro: ratio(2 * truePositives, support + predicted),
    f1Macro: sums.f1 / labels,
    f1Weighted: ratio(sums.weighted, support),
    f1Samples: sums.f1Sum / documents,
    precisionMicro: ratio(truePositives, predicted),
    precisionMacro: sums.precision / labels,
    recallMicro: ratio(truePositives, support),
    recallMacro: sums.recall / labels,
    hamming: (support + predicted - 2 * truePositives) / (documents * labels),
    subsetAccuracy: sums.exact / documents,
  };
}

/**
 * Calls back with every label that one document has or was given, ascending; returns how many it has and was given. The two
 * sets are merged, so that the cost is their length.
 */
export function eachEvent(
  truth: LabelSets,
  predicted: LabelSets,
  document: number,
  event: (label: number, inTruth: boolean, inPredicted: boolean) => void,
): number {
  let t = truth.offsets[document]!;
  let p = predicted.offsets[document]!;
  const [tEnd, pEnd] = [truth.offsets[document + 1]!, predicted.offsets[document + 1]!];
  let shared = 0;
  while (t < tEnd || p < pEnd) {
    const has = t < tEnd ? truth.codes[t]! : Number.POSITIVE_INFINITY;
    const guess = p < pEnd ? predicted.codes[p]! : Number.POSITIVE_INFINITY;
    if (has === guess) shared++;
    event(Math.min(has, guess), has <= guess, guess <= has);
    if (has <= guess) t++;
    if (guess <= has) p++;
  }
  return shared;
}

export function rowLength({ offsets }: LabelSets, row: number): number {
  return offsets[row + 1]! - offsets[row]!;
}

/** a / b, and 0 where b is 0. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

function ignore(): void {}
