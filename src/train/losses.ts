/**
 * Contrastive losses as graph functions on sentence vectors of length 1, rows a_i (anchors) with their positives p_i, and
 * further candidates c_j (hard negatives) that are negatives of every anchor.
 *
 *   multiple negatives ranking (InfoNCE: van den Oord et al. 2018; Henderson et al. 2017), s = scale = 1 / temperature
 *     L = mean_i −log [ exp(s a_i·p_i) / Σ_c exp(s a_i·c) ],    c over all positives and all hard negatives
 *   symmetric: the mean of L and of the same with p_i asking for a_i among all anchors (Günther et al. 2024)
 *   false negatives are taken out of the sums: by a mask, or where a guide's similarity exceeds that of the own
 *   positive, less a margin (GISTEmbed: Solatorio 2024). The own positive always stays.
 *
 *   Matryoshka (Kusupati et al. 2022):  Σ_d w_d · L(first d components, normalised again)
 */

import { defineOp, fail } from '../engine/graph.ts';
import {
  add,
  concatenate,
  crossEntropy,
  gatherColumns,
  greater,
  l2Normalise,
  matmul,
  mean,
  multiply,
  negate,
  oneHotLike,
  slice,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  transpose,
  where,
} from '../engine/index.ts';
import { ndarray } from '../engine/ndarray.ts';

export interface RankingOptions {
  /** Multiplies the cosines: 1 / temperature. Default 20. */
  scale?: number;
  /** Also asks for the anchor of each positive, among the batch's anchors. Default false. */
  symmetric?: boolean;
  /** Vectors [m, d] of length 1 that are negatives of every anchor. */
  hardNegatives?: Tensor;
  /** bool [n, n + m]: true where a candidate is no negative of the anchor. */
  falseNegatives?: Tensor;
  /** Takes out candidates that look as near as the positive does. */
  threshold?: {
    /** Candidates above (positive's similarity − margin) are out; below 0 the margin allows more. Default 0. */
    margin?: number;
    /** `relative`: the margin is a share of the positive's similarity. Default `absolute`. */
    strategy?: 'absolute' | 'relative';
    /** Similarities [n, n + m] by another model. Default: the cosines at hand, taken for constants. */
    guide?: Tensor;
  };
}

/** Low enough to vanish beside any cosine times scale, and no infinity to make NaN of. */
const excluded = -1e30;

/** Anchors and positives [n, d], rows of length 1, to a scalar. n may be a name. */
export function multipleNegativesRanking(anchors: Tensor, positives: Tensor, options: RankingOptions = {}): Tensor {
  const { scale = 20, symmetric = false, hardNegatives, falseNegatives, threshold } = options;
  const candidates = hardNegatives ? concatenate([positives, hardNegatives], 0) : positives;
  const cosines = matmul(anchors, candidates, { transposeB: true }); // [n, n + m]
  const own = rowNumbers(anchors);
  const masks = falseNegatives ? [falseNegatives] : [];
  if (threshold) {
    const { margin = 0, strategy = 'absolute', guide = stopGradient(cosines) } = threshold;
    const positive = sum(where(ownPlace(own, guide), guide, 0), 1, { keepDimensions: true }); // [n, 1]
    const slack = strategy === 'relative' ? multiply(magnitude(positive), margin) : margin;
    masks.push(greater(guide, subtract(positive, slack)));
  }
  const forward = meanEntropy(multiply(cosines, scale), own, masks);
  if (!symmetric) return forward;
  const square = hardNegatives ? matmul(positives, anchors, { transposeB: true }) : transpose(cosines, [1, 0]);
  const turned = masks.map((mask) => transpose(hardNegatives ? gatherColumns(mask, own) : mask, [1, 0]));
  return multiply(add(forward, meanEntropy(multiply(square, scale), own, turned)), 0.5);
}

/** Mean −log softmax of each row's own place, without the masked others. */
function meanEntropy(logits: Tensor, own: Tensor, masks: readonly Tensor[]): Tensor {
  const kept = masks.reduce((rest, mask) => where(mask, where(ownPlace(own, logits), logits, excluded), rest), logits);
  return mean(crossEntropy(kept, own), 0);
}

/** bool [n, n + m]: where an anchor meets its own positive. */
function ownPlace(own: Tensor, like: Tensor): Tensor {
  return greater(oneHotLike(own, like), 0.5);
}

export interface MatryoshkaOptions {
  /** Lengths of the kept fronts, the full one among them if it is to be trained. */
  dimensions: readonly number[];
  /** One a dimension. Default all 1. */
  weights?: readonly number[];
}

/**
 * The weighted sum of `loss` over the fronts of the vectors. `vectors`: matrices [rows, d], of any length of rows; `loss` gets them
 * cut and normalised, in the same order.
 */
export function matryoshka(
  vectors: readonly Tensor[],
  { dimensions, weights = dimensions.map(() => 1) }: MatryoshkaOptions,
  loss: (vectors: readonly Tensor[]) => Tensor,
): Tensor {
  if (dimensions.length === 0 || dimensions.length !== weights.length)
    fail('matryoshka', `${weights.length} weights for ${dimensions.length} dimensions`);
  const parts = dimensions
    .map((size, i) => ({ size, weight: weights[i]! }))
    .sort((a, b) => b.size - a.size)
    .map(({ size, weight }) => multiply(loss(vectors.map((all) => l2Normalise(slice(all, 1, 0, size)))), weight));
  return parts.reduce((total, part) => add(total, part));
}

/** |x| */
function magnitude(x: Tensor): Tensor {
  return where(greater(x, 0), x, negate(x));
}

const rowNumbersNode = defineOp<undefined>({
  name: 'rowNumbers',
  infer: ([x]) => ({ dtype: 'int32', shape: [x!.shape[0]!] }),
  evaluate(_, __, shape) {
    const result = ndarray(shape);
    for (let row = 0; row < result.data.length; row++) result.data[row] = row;
    return result;
  },
  lower(context, [x]) {
    const [zero, one] = [0, 1].map((value) => context.constant([value], [], 'int64'));
    const rows = context.emit('Squeeze', [context.emit('Shape', [x!], { start: 0, end: 1 })]);
    return context.emit('Cast', [context.emit('Range', [zero!, rows, one!])], { to: 6 });
  },
  gradient: () => [],
});

/** int32 [rows]: 0, 1, 2, ... for the rows of x. */
function rowNumbers(x: Tensor): Tensor {
  return rowNumbersNode([x], undefined);
}
