/**
 * How far predicted probabilities are from what they promise.
 *
 *   ECE    expected calibration error (Naeini 2015; Guo 2017) with bins of equal width: sum_b n_b/N |accuracy_b - confidence_b|.
 *          Bin b holds probabilities in (b/bins, (b+1)/bins], the first one 0 too; an empty bin adds nothing.
 *   Brier  mean squared difference of probability and outcome (0 or 1): scikit-learn's brier_score_loss of binary outcomes.
 *
 * Multi-label: every document-label decision counts, confidence is the probability of the label and accuracy the share of
 * decisions whose document has it. Where most labels are absent, most decisions are easy and sure, and the value is small
 * for that reason alone: compare systems by it, not data sets. One label a document: `topLabelCalibration`, Guo's definition
 * on the most probable label of each document.
 */
import { inputError } from '../base/errors.ts';
import { checkScores, type LabelSets } from './label-sets.ts';

export interface ReliabilityBin {
  from: number;
  to: number;
  count: number;
  /** Mean probability, 0 in an empty bin. */
  confidence: number;
  /** Share of positive outcomes, 0 in an empty bin. */
  accuracy: number;
}

export interface Calibration {
  ece: number;
  /** All bins, also empty ones: the reliability plot. */
  bins: ReliabilityBin[];
  brier: number;
}

/** Over all decisions of probabilities [documents, labels]. Throws where a probability lies outside 0..1. */
export function calibration(truth: LabelSets, probabilities: Float32Array, labels: number, bins = 15): Calibration {
  const tally = new Tally(bins);
  eachDecision(truth, probabilities, labels, (probability, outcome) => tally.add(probability, outcome));
  return tally.result();
}

/** The same of every label by itself, in the order of label numbers. */
export function calibrationPerLabel(
  truth: LabelSets,
  probabilities: Float32Array,
  labels: number,
  bins = 15,
): Calibration[] {
  checkScores(truth, probabilities, labels);
  const tallies = Array.from({ length: labels }, () => new Tally(bins));
  eachDecision(truth, probabilities, labels, (probability, outcome, l) => tallies[l]!.add(probability, outcome));
  return tallies.map((tally) => tally.result());
}

/** One decision a document: its most probable label (the lowest number among equals), right where the document has it. */
export function topLabelCalibration(
  truth: LabelSets,
  probabilities: Float32Array,
  labels: number,
  bins = 15,
): Calibration {
  const tally = new Tally(bins);
  let [best, right] = [-1, 0];
  eachDecision(truth, probabilities, labels, (probability, outcome, label) => {
    if (probability > best) [best, right] = [probability, outcome];
    if (label === labels - 1) {
      tally.add(best, right);
      best = -1;
    }
  });
  return tally.result();
}

function eachDecision(
  truth: LabelSets,
  probabilities: Float32Array,
  labels: number,
  decision: (probability: number, outcome: number, label: number) => void,
): void {
  const documents = checkScores(truth, probabilities, labels);
  for (let d = 0, at = 0; d < documents; d++) {
    let next = truth.offsets[d]!;
    const end = truth.offsets[d + 1]!;
    for (let label = 0; label < labels; label++, at++) {
      const probability = probabilities[at]!;
      if (probability < 0 || probability > 1) {
        throw inputError('this is no probability', {
          code: 'calibration.probability',
          field: 'probabilities',
          expected: 'numbers from 0 to 1',
          found: `${probability} for document ${d}, label ${label}`,
        });
      }
      const has = next < end && truth.codes[next] === label;
      if (has) next++;
      decision(probability, has ? 1 : 0, label);
    }
  }
}

class Tally {
  private readonly counts: Float64Array;
  private readonly confidences: Float64Array;
  private readonly positives: Float64Array;
  private squares = 0;
  private readonly bins: number;

  constructor(bins: number) {
    if (!(Number.isInteger(bins) && bins >= 1)) {
      throw inputError('this is no number of bins', {
        code: 'calibration.bins',
        field: 'bins',
        expected: 'a whole number from 1',
        found: String(bins),
      });
    }
    this.bins = bins;
    this.counts = new Float64Array(bins);
    this.confidences = new Float64Array(bins);
    this.positives = new Float64Array(bins);
  }

  add(probability: number, outcome: number): void {
    let bin = Math.max(0, Math.ceil(probability * this.bins) - 1);
    // The product may have rounded across the edge that the bin is reported with.
    if (bin > 0 && probability <= bin / this.bins) bin--;
    else if (probability > (bin + 1) / this.bins) bin++;
    this.counts[bin]!++;
    this.confidences[bin]! += probability;
    this.positives[bin]! += outcome;
    this.squares += (probability - outcome) ** 2;
  }

  result(): Calibration {
    let [all, apart] = [0, 0];
    const bins = Array.from(this.counts, (count, b): ReliabilityBin => {
      all += count;
      apart += Math.abs(this.positives[b]! - this.confidences[b]!);
      const share = (sum: number) => (count === 0 ? 0 : sum / count);
      return {
        from: b / this.bins,
        to: (b + 1) / this.bins,
        count,
        confidence: share(this.confidences[b]!),
        accuracy: share(this.positives[b]!),
      };
    });
    return { ece: apart / all, bins, brier: this.squares / all };
  }
}
