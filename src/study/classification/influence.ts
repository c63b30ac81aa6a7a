/**
 * Intervals of mAP, ECE and the Brier score by linearisation (infinitesimal jackknife; Jaeckel 1972; Efron & Tibshirani 1993,
 * chapter 21). With a weight w_d on every document (1 as observed), U_d = ∂θ/∂w_d is how much document d moves the value θ;
 *
 *   se² = C/(C-1) Σ_families (Σ_d U_d)²,      θ ± t_{C-1} se,  cut to [0, 1]
 *
 * One pass over the scores in place of thousands; a mean over documents has the usual standard error of clustered means. What
 * it does not show: that a resample may lack a label (mAP), and that the absolute values in the ECE make it too large by chance.
 *
 *   AP of a label, positives j in order of score, N_j documents at least as high, T_j positives among them, M positives:
 *     AP = Σ_j w_j T_j/N_j / M,   U_d = ([d positive] T_d/N_d + Σ_{j not above d} ([d positive]/N_j - T_j/N_j²) - [d positive] AP) / M
 *   ECE = Σ_b |Σ_{i in b} (y_i - p_i)| / n,   U_d = (Σ_{i of d} sign_b (y_i - p_i) - ECE n_d) / n
 */
import type { Calibration } from '../../metrics/calibration.ts';
import { studentQuantile } from '../../metrics/distributions.ts';
import type { LabelSets } from '../../metrics/label-sets.ts';
import type { Estimate } from '../../metrics/types.ts';

/** `moves[d]`: U_d. NaN bounds where there is only one family. */
export function linearised(value: number, moves: Float64Array, clusters: ArrayLike<number>): Estimate {
  const sums = new Map<number, number>();
  moves.forEach((move, d) => {
    sums.set(clusters[d]!, (sums.get(clusters[d]!) ?? 0) + move);
  });
  const families = sums.size;
  if (families < 2) return { value, lower: Number.NaN, upper: Number.NaN };
  let squares = 0;
  for (const sum of sums.values()) squares += sum * sum;
  const half = studentQuantile(0.975, families - 1) * Math.sqrt((families / (families - 1)) * squares);
  return { value, lower: Math.max(0, value - half), upper: Math.min(1, value + half) };
}

/** How documents move the mean average precision over labels with a positive; scores [documents, labels], none below 0. */
export function precisionMoves(truth: LabelSets, scores: Float32Array, labels: number): Float64Array {
  const documents = truth.offsets.length - 1;
  const moves = new Float64Array(documents);
  const positives: number[][] = Array.from({ length: labels }, () => []);
  for (let d = 0; d < documents; d++)
    for (let i = truth.offsets[d]!; i < truth.offsets[d + 1]!; i++) positives[truth.codes[i]!]!.push(d);
  const ranked = positives.filter((own) => own.length > 0).length;
  const is = new Uint8Array(documents);
  const column = new Float32Array(documents);
  const bits = new Uint32Array(column.buffer);
  const keys = new Float64Array(documents);
  const order = new Uint32Array(documents);
  positives.forEach((own, label) => {
    if (own.length === 0) return;
    for (const d of own) is[d] = 1;
    for (let d = 0; d < documents; d++) column[d] = Math.abs(scores[d * labels + label]!);
    const at = (d: number) => column[d]!;
    // Bits of floats that are not negative ascend as they do: numbers of bits and document sort without a comparison function.
    for (let d = 0; d < documents; d++) keys[d] = bits[d]! * documents + d;
    keys.sort();
    for (let i = 0; i < documents; i++) order[documents - 1 - i] = keys[i]! % documents;
    // Of each run of equal scores: documents and positives down to its end, and positives within it.
    const runs: { from: number; to: number; all: number; right: number; own: number }[] = [];
    let right = 0;
    for (let from = 0; from < documents; ) {
      let to = from;
      let inside = 0;
      for (; to < documents && at(order[to]!) === at(order[from]!); to++) inside += is[order[to]!]!;
      right += inside;
      runs.push({ from, to, all: to, right, own: inside });
      from = to;
    }
    const all = own.length;
    const precision = runs.reduce((sum, run) => sum + (run.own * run.right) / run.all, 0) / all;
    let [gain, loss] = [0, 0];
    for (let r = runs.length - 1; r >= 0; r--) {
      const { from, to, all: above, right: hits, own: inside } = runs[r]!;
      gain += inside / above;
      loss += (inside * hits) / above ** 2;
      for (let i = from; i < to; i++) {
        const d = order[i]!;
        moves[d]! += ((is[d] === 1 ? hits / above + gain - precision : 0) - loss) / (all * ranked);
      }
    }
    for (const d of own) is[d] = 0;
  });
  return moves;
}

/** How documents move ECE and Brier score; `topLabel`: the likeliest label of each document alone counts. */
export function calibrationMoves(
  truth: LabelSets,
  probabilities: Float32Array,
  labels: number,
  { ece, brier, bins }: Calibration,
  topLabel: boolean,
): { ece: Float64Array; brier: Float64Array } {
  const documents = truth.offsets.length - 1;
  const decisions = topLabel ? documents : documents * labels;
  const moves = { ece: new Float64Array(documents), brier: new Float64Array(documents) };
  const has = new Uint8Array(labels);
  const ends = Float64Array.from(bins, ({ to }) => to);
  const signs = Float64Array.from(bins, ({ accuracy, confidence }) => Math.sign(accuracy - confidence));
  for (let d = 0; d < documents; d++) {
    for (let i = truth.offsets[d]!; i < truth.offsets[d + 1]!; i++) has[truth.codes[i]!] = 1;
    let best = 0;
    if (topLabel)
      for (let label = 1; label < labels; label++)
        if (probabilities[d * labels + label]! > probabilities[d * labels + best]!) best = label;
    for (let label = topLabel ? best : 0; label < (topLabel ? best + 1 : labels); label++) {
      const probability = probabilities[d * labels + label]!;
      const apart = has[label]! - probability;
      let bin = 0;
      while (bin < ends.length - 1 && probability > ends[bin]!) bin++;
      moves.ece[d]! += (signs[bin]! * apart - ece) / decisions;
      moves.brier[d]! += (apart * apart - brier) / decisions;
    }
    for (let i = truth.offsets[d]!; i < truth.offsets[d + 1]!; i++) has[truth.codes[i]!] = 0;
  }
  return moves;
}
