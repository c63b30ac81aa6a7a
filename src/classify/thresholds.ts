/**
 * Thresholds that turn probabilities into labels, never scored on what they were tuned on: one for all labels, tuned for micro-F1
 * (`global`), and one for each label, tuned for that label's F1, which serves macro-F1 alone: a label that the scores tell nothing
 * of is best given to every document, and that ruins micro-F1.
 *
 * `tuneThresholds` chooses on some documents, for use on others: for the final test documents on the training's out-of-fold
 * probabilities (`outOfFold`), which no model gave to documents it had learnt. `crossFitThresholds` is for documents that are
 * both: they are dealt into folds, families whole, and each fold is decided by the thresholds chosen on the others.
 *
 * A label's threshold lies half-way between the scores that the best cut parts (the highest such cut; 0 where taking every
 * document is best, as it can be for a label that the scores tell nothing of). A label with fewer than `minPositives` documents has too few to
 * learn from: it gets the global threshold, the one of 0.01, 0.02 … 0.99 with the best F1 over all decisions, which is micro-F1
 * (0.5 where no document has a label).
 */
import { inputError } from '../base/errors.ts';
import { type LabelSets, labelRows, selectLabelSets } from '../metrics/label-sets.ts';
import { dealFolds } from '../retrieve/cross-fit.ts';
import { rowsWhere, selectRows } from './features.ts';
import { type DecisionOptions, decide } from './predictions.ts';

/** Where nothing is tuned. */
export const fixedThreshold = 0.5;

export interface ThresholdOptions {
  /** Number of labels. */
  labels: number;
  /** Default 10. */
  minPositives?: number;
}

export interface Thresholds {
  /** [labels] */
  readonly values: Float64Array;
  readonly global: number;
  /** Labels that have the global threshold, being rare. */
  readonly rare: Int32Array;
}

/** Thresholds for documents other than these; probabilities [rows, labels]. */
export function tuneThresholds(
  probabilities: Float32Array,
  truth: LabelSets,
  { labels, minPositives = 10 }: ThresholdOptions,
): Thresholds {
  const rows = labelRows(truth);
  if (probabilities.length !== rows * labels)
    throw inputError('there is not one probability a document and label', {
      code: 'classify.rows',
      field: 'probabilities',
      expected: `${rows} x ${labels} numbers`,
      found: String(probabilities.length),
    });
  const positives: number[][] = Array.from({ length: labels }, () => []);
  for (let row = 0; row < rows; row++)
    for (let i = truth.offsets[row]!; i < truth.offsets[row + 1]!; i++) positives[truth.codes[i]!]!.push(row);
  const global = globalThreshold(probabilities, truth, labels);
  const rare = positives.flatMap((own, label) => (own.length < Math.max(1, minPositives) ? label : []));
  const values = new Float64Array(labels).fill(global);
  const isRare = new Set(rare);
  positives.forEach((own, label) => {
    if (!isRare.has(label)) values[label] = bestThreshold(probabilities, own, label, labels);
  });
  return { values, global, rare: Int32Array.from(rare) };
}

export interface CrossFitThresholdOptions extends ThresholdOptions, DecisionOptions {
  /** Family of each document; each is its own where not given. */
  clusters?: Int32Array;
  /** Default 5, never more than there are families. */
  folds?: number;
  seed: number;
}

export interface CrossFitThresholds {
  /** Fold of each document. */
  readonly fold: Int32Array;
  /** Of each fold: chosen on the other folds. */
  readonly thresholds: readonly Thresholds[];
  /** Labels of all documents, none decided by a threshold it had a say in: each label by its own. */
  readonly predicted: LabelSets;
  /** The same, all labels by the global threshold. */
  readonly shared: LabelSets;
}

/** Throws where all documents are of one family. */
export function crossFitThresholds(
  probabilities: Float32Array,
  truth: LabelSets,
  { labels, minPositives, clusters, folds = 5, seed, atLeastOne = false }: CrossFitThresholdOptions,
): CrossFitThresholds {
  const fold = dealFolds(labelRows(truth), clusters, folds, seed);
  const count = fold.reduce((most, f) => Math.max(most, f), 0) + 1;
  if (count < 2)
    throw inputError('thresholds cannot be cross-fitted within one family', {
      code: 'classify.folds',
      field: 'clusters',
      expected: 'documents of 2 families or more',
      found: '1 family',
      hint: 'use fixed thresholds',
    });
  const [sets, shared]: [LabelSets[], LabelSets[]] = [new Array(count), new Array(count)];
  const thresholds = Array.from({ length: count }, (_, f) => {
    const [own, others] = [rowsWhere(fold, (g) => g === f), rowsWhere(fold, (g) => g !== f)];
    const chosen = tuneThresholds(takeRows(probabilities, others, labels), selectLabelSets(truth, others), {
      labels,
      ...(minPositives === undefined ? {} : { minPositives }),
    });
    const asked = takeRows(probabilities, own, labels);
    sets[f] = decide(asked, chosen.values, { atLeastOne });
    shared[f] = decide(asked, new Float64Array(labels).fill(chosen.global), { atLeastOne });
    return chosen;
  });
  return { fold, thresholds, predicted: interleave(sets, fold), shared: interleave(shared, fold) };
}

/**
 * Probabilities [rows, labels] of documents by models that did not see them: `fit` trains on some rows and gives the
 * probabilities [test rows, labels] of others, once a fold.
 */
export async function outOfFold(
  fold: Int32Array,
  labels: number,
  fit: (train: Int32Array, test: Int32Array) => Promise<Float32Array>,
): Promise<Float32Array> {
  const probabilities = new Float32Array(fold.length * labels);
  const count = fold.reduce((most, f) => Math.max(most, f), 0) + 1;
  for (let f = 0; f < count; f++) {
    const test = rowsWhere(fold, (g) => g === f);
    const found = await fit(
      rowsWhere(fold, (g) => g !== f),
      test,
    );
    test.forEach((row, i) => {
      probabilities.set(found.subarray(i * labels, (i + 1) * labels), row * labels);
    });
  }
  return probabilities;
}

/** The threshold of best F1 for one label: cuts between neighbouring scores, from the highest down. */
function bestThreshold(
  probabilities: Float32Array,
  positives: readonly number[],
  label: number,
  labels: number,
): number {
  const rows = probabilities.length / labels;
  const column = new Float32Array(rows);
  for (let row = 0; row < rows; row++) column[row] = probabilities[row * labels + label]!;
  const own = Float32Array.from(positives, (row) => column[row]!).sort();
  const sorted = column.sort();
  let [best, threshold, hits] = [0, 1, 0];
  let left = own.length;
  for (let at = rows; at > 0; ) {
    const score = sorted[at - 1]!;
    while (at > 0 && sorted[at - 1] === score) at--;
    while (left > 0 && own[left - 1]! >= score) [left, hits] = [left - 1, hits + 1];
    const f1 = (2 * hits) / (rows - at + own.length);
    if (f1 > best) [best, threshold] = [f1, at === 0 ? 0 : (score + sorted[at - 1]!) / 2];
  }
  return threshold;
}

const steps = 100;

/** The step with the best F1 over all decisions. */
function globalThreshold(probabilities: Float32Array, { offsets, codes }: LabelSets, labels: number): number {
  if (codes.length === 0) return fixedThreshold;
  // Decisions by the highest step that they reach.
  const all = new Float64Array(steps);
  const right = new Float64Array(steps);
  const stepOf = (probability: number) => Math.min(steps - 1, Math.floor(probability * steps + 1e-9));
  for (const probability of probabilities) all[stepOf(probability)]!++;
  for (let row = 0; row + 1 < offsets.length; row++)
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) right[stepOf(probabilities[row * labels + codes[i]!]!)]!++;
  let [best, threshold, predicted, hits] = [0, fixedThreshold, 0, 0];
  for (let step = steps - 1; step >= 1; step--) {
    predicted += all[step]!;
    hits += right[step]!;
    const f1 = (2 * hits) / (predicted + codes.length);
    if (f1 > best) [best, threshold] = [f1, step / steps];
  }
  return threshold;
}

const takeRows = (values: Float32Array, rows: Int32Array, width: number) =>
  selectRows({ vectors: values, dimensions: width }, rows).vectors;

/** Rows of the folds' sets, each fold's in order, put back where they came from. */
function interleave(sets: readonly LabelSets[], fold: Int32Array): LabelSets {
  const next = new Int32Array(sets.length);
  const offsets = new Uint32Array(fold.length + 1);
  const codes: number[] = [];
  fold.forEach((f, row) => {
    const { offsets: own, codes: ownCodes } = sets[f]!;
    const i = next[f]!++;
    for (let k = own[i]!; k < own[i + 1]!; k++) codes.push(ownCodes[k]!);
    offsets[row + 1] = codes.length;
  });
  return { offsets, codes: Int32Array.from(codes) };
}
