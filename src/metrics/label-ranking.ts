/**
 * Measures of label rankings, from one score a document and label.
 *
 *   LRAP   scikit-learn's label_ranking_average_precision_score: over the labels of a document, the mean of (its labels that
 *          score at least as high) / (all labels that score at least as high); 1 for a document with no label, or with all
 *   AP     scikit-learn's average_precision_score: sum over score thresholds of (R_n - R_{n-1}) P_n, equal scores being one
 *          threshold. `map` is its mean over the labels that some document has: scikit-learn's macro average gives labels
 *          without a positive 0 and counts them, which says more about the split than about the system. `mapMicro` takes all
 *          document-label decisions as one ranking (scikit-learn's micro average).
 *   P@k    labels of the document among its k best-scored ones, over k; R@k over the document's labels. Equal scores are
 *          ordered by label number, the lower first. A document without a label has 0 in both.
 *
 * Thresholds at which no positive stands add nothing, so that only positives' scores are sorted; every other score is placed
 * among them by a table. Cost: documents x labels, where scores are spread over their range.
 */
import { inputError } from '../base/errors.ts';
import { checkScores, type LabelSets } from './label-sets.ts';

export interface RankingMetrics {
  lrap: number;
  /** Mean average precision over labels with a positive; 0 where there is none. */
  map: number;
  /** Average precision over all decisions; 0 where no document has a label. */
  mapMicro: number;
  /** [labels] average precision of each label; 0 for one without a positive. */
  averagePrecision: Float64Array;
  /** Labels with a positive. */
  rankedLabels: number;
  precisionAt(k: number): number;
  recallAt(k: number): number;
  /** The values behind the means over documents, for `comparePairs`. */
  documents: {
    lrap: Float64Array;
    precisionAt(k: number): Float64Array;
    recallAt(k: number): Float64Array;
  };
}

/** All measures of scores [documents, labels] (row-major). Throws where a score is not finite or the sizes do not fit. */
export function rankingMetrics(truth: LabelSets, scores: Float32Array, labels: number): RankingMetrics {
  const documents = checkScores(truth, scores, labels);
  const { lrap, ranks } = rankWithinDocuments(truth, scores, labels);
  const averagePrecision = labelAveragePrecision(truth, scores, labels);
  const has = new Uint8Array(labels);
  for (const code of truth.codes) has[code] = 1;
  const rankedLabels = has.reduce((sum, one) => sum + one, 0);
  const hits = (k: number, divisor: (labelsOfDocument: number) => number): Float64Array => {
    if (!(Number.isInteger(k) && k >= 1)) {
      throw inputError('k is not a number of labels', {
        code: 'ranking.k',
        field: 'k',
        expected: 'a whole number from 1',
        found: String(k),
      });
    }
    const values = new Float64Array(documents);
    for (let d = 0; d < documents; d++) {
      const [from, to] = [truth.offsets[d]!, truth.offsets[d + 1]!];
      if (from === to) continue;
      let found = 0;
      for (let i = from; i < to; i++) if (ranks[i]! <= k) found++;
      values[d] = found / divisor(to - from);
    }
    return values;
  };
  const precision = (k: number) => hits(k, () => k);
  const recall = (k: number) => hits(k, (size) => size);
  return {
    lrap: mean(lrap),
    map: rankedLabels === 0 ? 0 : averagePrecision.reduce((sum, value) => sum + value, 0) / rankedLabels,
    mapMicro: microAveragePrecision(truth, scores, labels),
    averagePrecision,
    rankedLabels,
    precisionAt: (k) => mean(precision(k)),
    recallAt: (k) => mean(recall(k)),
    documents: { lrap, precisionAt: precision, recallAt: recall },
  };
}

/** LRAP of each document, and the rank (from 1) of each of its labels: score down, label number up. */
function rankWithinDocuments(truth: LabelSets, scores: Float32Array, labels: number) {
  const documents = truth.offsets.length - 1;
  const lrap = new Float64Array(documents).fill(1);
  const ranks = new Int32Array(truth.codes.length);
  let atLeast = new Int32Array(16);
  let before = new Int32Array(16);
  for (let d = 0; d < documents; d++) {
    const [from, to] = [truth.offsets[d]!, truth.offsets[d + 1]!];
    const size = to - from;
    if (size === 0) continue;
    const row = scores.subarray(d * labels, (d + 1) * labels);
    // Places within truth.codes, best first.
    const order = Array.from({ length: size }, (_, i) => from + i);
    order.sort((a, b) => row[truth.codes[b]!]! - row[truth.codes[a]!]! || a - b);
    const best = order.map((place) => row[truth.codes[place]!]!);
    if (size > atLeast.length) {
      atLeast = new Int32Array(2 * size);
      before = new Int32Array(2 * size);
    }
    atLeast.fill(0, 0, size);
    before.fill(0, 0, size);
    for (let label = 0; label < labels; label++) {
      const score = row[label]!;
      let j = firstNotAbove(best, score, 0, size);
      if (j === size) continue;
      atLeast[j]!++;
      while (j < size && best[j] === score && truth.codes[order[j]!]! < label) j++;
      if (j < size) before[j]!++;
    }
    let [scored, ranked, sum] = [0, 0, 0];
    for (let j = 0; j < size; j++) {
      scored += atLeast[j]!;
      ranked += before[j]!;
      ranks[order[j]!] = ranked;
      let own = j + 1;
      while (own < size && best[own] === best[j]) own++;
      sum += own / scored;
    }
    if (size < labels) lrap[d] = sum / size;
  }
  return { lrap, ranks };
}

function labelAveragePrecision(truth: LabelSets, scores: Float32Array, labels: number): Float64Array {
  const documents = truth.offsets.length - 1;
  const starts = new Uint32Array(labels + 1);
  for (const code of truth.codes) starts[code + 1]!++;
  for (let l = 0; l < labels; l++) starts[l + 1]! += starts[l]!;
  const positives = new Float32Array(truth.codes.length);
  const filled = starts.slice();
  for (let d = 0; d < documents; d++) {
    for (let i = truth.offsets[d]!; i < truth.offsets[d + 1]!; i++) {
      const label = truth.codes[i]!;
      positives[filled[label]!++] = scores[d * labels + label]!;
    }
  }
  const thresholds = new Thresholds(positives, starts);
  for (let d = 0, at = 0; d < documents; d++) for (let l = 0; l < labels; l++, at++) thresholds.count(l, scores[at]!);
  return Float64Array.from({ length: labels }, (_, l) => thresholds.averagePrecision(l));
}

function microAveragePrecision(truth: LabelSets, scores: Float32Array, labels: number): number {
  const positives = new Float32Array(truth.codes.length);
  for (let d = 0; d < truth.offsets.length - 1; d++) {
    for (let i = truth.offsets[d]!; i < truth.offsets[d + 1]!; i++)
      positives[i] = scores[d * labels + truth.codes[i]!]!;
  }
  const thresholds = new Thresholds(positives, Uint32Array.of(0, positives.length));
  for (let i = 0; i < scores.length; i++) thresholds.count(0, scores[i]!);
  return thresholds.averagePrecision(0);
}

/**
 * Lists of positives' scores, best first, and at each how many scores fall between the positive before it and it. A score's
 * place is looked up by its share of the list's range (two buckets a positive) and searched within the bucket: scores in
 * earlier buckets are higher, because rounding keeps order.
 */
class Thresholds {
  private readonly values: Float32Array;
  private readonly starts: Uint32Array;
  private readonly counts: Uint32Array;
  /** First place of each bucket; list l has its own from 2 starts[l] + 2 l. */
  private readonly firsts: Uint32Array;
  private readonly tops: Float64Array;
  private readonly lows: Float64Array;
  private readonly scales: Float64Array;

  /** List l holds values starts[l] to starts[l + 1] - 1; they are sorted in place. */
  constructor(values: Float32Array, starts: Uint32Array) {
    const lists = starts.length - 1;
    this.values = values;
    this.starts = starts;
    this.counts = new Uint32Array(values.length);
    this.firsts = new Uint32Array(2 * values.length + 2 * lists);
    this.tops = new Float64Array(lists).fill(Number.NEGATIVE_INFINITY);
    this.lows = new Float64Array(lists).fill(Number.POSITIVE_INFINITY);
    this.scales = new Float64Array(lists);
    for (let list = 0; list < lists; list++) {
      const [from, to] = [starts[list]!, starts[list + 1]!];
      if (from === to) continue;
      values.subarray(from, to).sort().reverse();
      const [top, low] = [values[from]!, values[to - 1]!];
      this.tops[list] = top;
      this.lows[list] = low;
      this.scales[list] = top > low ? (2 * (to - from)) / (top - low) : 0;
      const table = this.firsts.subarray(2 * from + 2 * list, 2 * to + 2 * list + 2);
      for (let bucket = 0, i = from; bucket < table.length; bucket++) {
        while (i < to && this.bucketOf(list, values[i]!) < bucket) i++;
        table[bucket] = i;
      }
      table[table.length - 1] = to;
    }
  }

  count(list: number, score: number): void {
    if (!(score >= this.lows[list]!)) return;
    const at = 2 * this.starts[list]! + 2 * list + (score >= this.tops[list]! ? 0 : this.bucketOf(list, score));
    const [from, to] = [this.firsts[at]!, this.firsts[at + 1]!];
    this.counts[from === to ? from : firstNotAbove(this.values, score, from, to)]!++;
  }

  /** Equal positives are one threshold; all scores equal to them were counted at the first of them. */
  averagePrecision(list: number): number {
    const [from, to] = [this.starts[list]!, this.starts[list + 1]!];
    let [scored, sum] = [0, 0];
    for (let i = from; i < to; ) {
      let next = i;
      while (next < to && this.values[next] === this.values[i]) scored += this.counts[next++]!;
      sum += (next - i) * ((next - from) / scored);
      i = next;
    }
    return to === from ? 0 : sum / (to - from);
  }

  private bucketOf(list: number, score: number): number {
    const last = 2 * (this.starts[list + 1]! - this.starts[list]!);
    return Math.min(last, Math.floor((this.tops[list]! - score) * this.scales[list]!));
  }
}

/** First place from..to of a falling list whose value is not above `value`; `to` where all are. */
function firstNotAbove(falling: ArrayLike<number>, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (falling[middle]! > value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
