/**
 * Starting centres by greedy k-means++ (Arthur & Vassilvitskii 2007, with the local trials of scikit-learn): the first centre
 * is a row drawn uniformly; each further one is the best of 2 + floor(ln clusters) rows drawn with probability proportional
 * to the squared distance to the nearest centre so far: the one that leaves the least sum of these distances.
 *
 * Distances come from float32 products of vectors brought to their mean, their sums are float64.
 */
import type { RandomStream } from '../base/random.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';

/** What is asked of a random stream. */
export type Draws = Pick<RandomStream, 'uniform' | 'integer'>;

/** Rows a product. */
const blockRows = 4096;

export interface SeedingOptions {
  clusters: number;
  dimensions: number;
  /** [dimensions] */
  mean: Float64Array;
  random: Draws;
  product: MatrixProduct;
  signal?: AbortSignal;
}

/** Rows of `vectors` [rows, dimensions], at least as many as clusters, that start the clusters. */
export async function seedRows(
  vectors: Float32Array,
  { clusters, dimensions, mean, random, product, signal }: SeedingOptions,
): Promise<Int32Array> {
  const rows = vectors.length / dimensions;
  const centred = new Float32Array(vectors.length);
  const squares = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++, at += dimensions) {
    let sum = 0;
    for (let d = 0; d < dimensions; d++) {
      const value = Math.fround(vectors[at + d]! - mean[d]!);
      centred[at + d] = value;
      sum += value * value;
    }
    squares[row] = sum;
  }
  const trials = 2 + Math.floor(Math.log(clusters));
  const chosen = new Int32Array(clusters);
  const closest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let candidates: Int32Array = Int32Array.of(Math.floor(random.uniform() * rows));
  for (let c = 0; c < clusters; c++) {
    signal?.throwIfAborted();
    const distances = await distancesTo(centred, squares, candidates, dimensions, product);
    const sums = new Float64Array(candidates.length);
    for (let row = 0, at = 0; row < rows; row++)
      for (let i = 0; i < sums.length; i++, at++) sums[i]! += Math.min(closest[row]!, distances[at]!);
    let best = 0;
    for (let i = 1; i < sums.length; i++) if (sums[i]! < sums[best]!) best = i;
    chosen[c] = candidates[best]!;
    for (let row = 0, at = best; row < rows; row++, at += sums.length)
      if (distances[at]! < closest[row]!) closest[row] = distances[at]!;
    if (c + 1 < clusters) candidates = drawRows(closest, sums[best]!, trials, random);
  }
  return chosen;
}

/** Squared distances [rows, candidates], none below 0. */
async function distancesTo(
  centred: Float32Array,
  squares: Float64Array,
  candidates: Int32Array,
  dimensions: number,
  product: MatrixProduct,
): Promise<Float32Array> {
  const count = candidates.length;
  const targets = new Float32Array(count * dimensions);
  candidates.forEach((row, i) => {
    targets.set(centred.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  const distances = new Float32Array(squares.length * count);
  let ahead: Promise<void> | undefined;
  for (let from = 0; from < squares.length; from += blockRows) {
    const last = Math.min(squares.length, from + blockRows);
    const block = new Float32Array(centred.subarray(from * dimensions, last * dimensions));
    const next = product.multiply(block, last - from, targets.slice(), count, dimensions).then((dots) => {
      for (let row = from, at = 0; row < last; row++)
        for (let i = 0; i < count; i++, at++) {
          const candidate = candidates[i]!;
          const distance = row === candidate ? 0 : squares[row]! - 2 * dots[at]! + squares[candidate]!;
          distances[row * count + i] = Math.max(0, distance);
        }
    });
    next.catch(() => {}); // if an earlier product fails first, that failure is the one to report
    await ahead;
    ahead = next;
  }
  await ahead;
  return distances;
}

/** Rows where running sums of the weights reach `trials` uniform draws of their total, in the order of the draws. */
function drawRows(weights: Float64Array, total: number, trials: number, random: Draws): Int32Array {
  const draws = Array.from({ length: trials }, () => random.uniform() * total);
  const order = draws.map((_, i) => i).sort((a, b) => draws[a]! - draws[b]!);
  const rows = new Int32Array(trials).fill(weights.length - 1);
  let sum = 0;
  let next = 0;
  for (let row = 0; row < weights.length && next < trials; row++) {
    sum += weights[row]!;
    while (next < trials && draws[order[next]!]! <= sum) rows[order[next++]!] = row;
  }
  return rows;
}
