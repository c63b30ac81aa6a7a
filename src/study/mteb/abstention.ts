/**
 * Normalised area under the abstention curve (arXiv 2402.12997), as MTEB computes it: queries are left out from the least
 * confident on, 0 % to 90 % of them; the area under the measure of the others, between that of confidence without meaning (0)
 * and that of an oracle that leaves out the worst (1). Of queries with equal confidence each counts with their mean.
 */
import { numpyMean, numpyStd, numpySum } from './numpy-sum.ts';

export const confidences = ['max', 'std', 'diff1'] as const;
type Confidence = (typeof confidences)[number];

const rates = Float64Array.from({ length: 10 }, (_, i) => i * 0.1);

/** How sure a ranking is, from its scores, best first: the best one, their spread, the distance of the two best. */
export function confidenceOf(scores: ArrayLike<number>): Record<Confidence, number> {
  if (scores.length === 0) return { max: 0, std: 0, diff1: 0 };
  return { max: scores[0]!, std: numpyStd(scores), diff1: scores.length > 1 ? scores[0]! - scores[1]! : 0 };
}

/** Not a number where the oracle is no better than no confidence at all. */
export function abstentionArea(confidence: ArrayLike<number>, measure: ArrayLike<number>): number {
  const curve = abstentionCurve(confidence, measure);
  const oracle = abstentionCurve(measure, measure);
  const flat = oracle[0]! * (rates.at(-1)! - rates[0]!);
  const best = trapezoid(oracle);
  return best === flat ? Number.NaN : (trapezoid(curve) - flat) / (best - flat);
}

function abstentionCurve(confidence: ArrayLike<number>, measure: ArrayLike<number>): Float64Array {
  const count = confidence.length;
  const order = Int32Array.from({ length: count }, (_, i) => i).sort(
    (i, j) => confidence[i]! - confidence[j]! || i - j,
  );
  const sorted = Float64Array.from(order, (i) => measure[i]!);
  for (let from = 0; from < count; ) {
    let to = from + 1;
    while (to < count && confidence[order[to]!] === confidence[order[from]!]) to++;
    sorted.fill(numpySum(sorted, from, to) / (to - from), from, to);
    from = to;
  }
  return rates.map((rate) => numpyMean(sorted, Math.min(halfToEven(rate * count), count - 1)));
}

function trapezoid(values: Float64Array): number {
  return numpySum(
    Float64Array.from(
      { length: values.length - 1 },
      (_, i) => ((rates[i + 1]! - rates[i]!) * (values[i + 1]! + values[i]!)) / 2,
    ),
  );
}

function halfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
