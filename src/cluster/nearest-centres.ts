/**
 * The assignment step of k-means: the nearest of a few centres for many vectors.
 *
 * |x - c|² = |x - m|² + |c'|² + 2 m·c' - 2 x·c'   with c' = c - m, m the mean of the data: the last term for a block of
 * vectors is one float32 matrix product on the engine, and small where the vectors are far from the origin but near each
 * other. The nearest is the centre of the least `value` = |c'|² + 2 m·c' - 2 x·c'.
 *
 * Invariant: the answer is that of float64 arithmetic, ties to the lower number, whatever computes the product. A float32
 * sum of d products errs by less than (d + 2) 2^-24 times the lengths of both; centres whose values lie within twice that
 * of the least are looked at again in float64.
 */
import type { MatrixProduct } from '../retrieve/matrix-product.ts';

/** Vectors whose nearest centres are asked for: rows `places` of `vectors`, or all where not given. */
export interface Batch {
  /** [rows, dimensions]; stays as it is. */
  vectors: Float32Array;
  places?: Int32Array;
}

/** For the i-th vector of a batch. */
export interface Nearest {
  labels: Int32Array;
  /** `value` of the nearest and of the next centre (of one centre: +Infinity), each within `error` of the exact one. */
  best: Float64Array;
  second: Float64Array;
  error: Float64Array;
}

export class NearestCentres {
  private readonly product: MatrixProduct;
  private readonly dimensions: number;
  private readonly clusters: number;
  private readonly mean: Float64Array;
  private readonly meanLength: number;
  private centres: Float64Array = new Float64Array(0);
  /** -2 c' [clusters, dimensions], float32. */
  private factors = new Float32Array(0);
  /** |c'|² + 2 m·c' */
  private offsets = new Float64Array(0);
  /** The longest of the factors. */
  private longest = 0;
  /** Memory that no product reads at the moment. */
  private readonly spare: Float32Array<SharedArrayBuffer>[] = [];

  /** `mean` [dimensions]: any point near the middle of the data. */
  constructor(product: MatrixProduct, mean: Float64Array, clusters: number) {
    this.product = product;
    this.dimensions = mean.length;
    this.clusters = clusters;
    this.mean = mean;
    this.meanLength = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0));
  }

  /** Sets the centres [clusters, dimensions] of the next batches; they are not changed until those are done. */
  use(centres: Float64Array): void {
    const { dimensions, clusters, mean } = this;
    this.centres = centres;
    this.factors = new Float32Array(clusters * dimensions);
    this.offsets = new Float64Array(clusters);
    this.longest = 0;
    for (let c = 0; c < clusters; c++) {
      let [squares, shift] = [0, 0];
      for (let d = 0; d < dimensions; d++) {
        const offset = centres[c * dimensions + d]! - mean[d]!;
        this.factors[c * dimensions + d] = -2 * offset;
        squares += offset * offset;
        shift += mean[d]! * offset;
      }
      this.offsets[c] = squares + 2 * shift;
      this.longest = Math.max(this.longest, 2 * Math.sqrt(squares));
    }
  }

  /** `spread(i)`: |x - m|² of the i-th vector of the batch. */
  async find(batch: Batch, spread: (i: number) => number): Promise<Nearest> {
    const { dimensions, clusters, centres, factors, offsets, longest } = this;
    const { vectors, places } = batch;
    const rows = places?.length ?? vectors.length / dimensions;
    // The engine reads shared memory where it lies; other memory is copied into some.
    const inPlace = places === undefined && isShared(vectors);
    const shared = inPlace ? vectors : this.copy(batch, rows);
    const block = shared.subarray(0, rows * dimensions);
    const values = await this.product.multiply(block, rows, factors.slice(), clusters, dimensions);
    if (!inPlace) this.spare.push(shared);
    const labels = new Int32Array(rows);
    const best = new Float64Array(rows);
    const second = new Float64Array(rows);
    const error = new Float64Array(rows);
    for (let i = 0, at = 0; i < rows; i++, at += clusters) {
      let [least, next, label] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
      for (let c = 0; c < clusters; c++) {
        const value = values[at + c]! + offsets[c]!;
        if (value >= next) continue;
        if (value < least) {
          next = least;
          least = value;
          label = c;
        } else next = value;
      }
      // |x| <= |x - m| + |m|; one more for the rounding of the factors.
      const bound = 2 ** -24 * (dimensions + 3) * (Math.sqrt(spread(i)) + this.meanLength) * longest;
      if (next - least <= 2 * bound) {
        const place = (places === undefined ? i : places[i]!) * dimensions;
        let leastExact = Number.POSITIVE_INFINITY;
        for (let c = 0; c < clusters; c++) {
          if (values[at + c]! + offsets[c]! > least + 2 * bound) continue;
          const exact = squaredDistance(vectors, place, centres, c * dimensions, dimensions);
          if (exact >= leastExact) continue;
          leastExact = exact;
          label = c;
        }
        next = least;
      }
      labels[i] = label;
      best[i] = least;
      second[i] = next;
      error[i] = bound;
    }
    return { labels, best, second, error };
  }

  /** The rows asked for, one after another. */
  private copy({ vectors, places }: Batch, rows: number): Float32Array<SharedArrayBuffer> {
    const { dimensions } = this;
    let shared = this.spare.pop();
    if (shared === undefined || shared.length < rows * dimensions)
      shared = new Float32Array(new SharedArrayBuffer(rows * dimensions * 4));
    if (places === undefined) shared.set(vectors);
    else
      for (let i = 0; i < rows; i++) {
        const at = places[i]! * dimensions;
        shared.set(vectors.subarray(at, at + dimensions), i * dimensions);
      }
    return shared;
  }
}

function isShared(vectors: Float32Array): vectors is Float32Array<SharedArrayBuffer> {
  return vectors.buffer instanceof SharedArrayBuffer;
}

/** |a - b|² of a[at ..] and b[bt ..], in float64. */
export function squaredDistance(
  a: Float32Array | Float64Array,
  at: number,
  b: Float64Array,
  bt: number,
  dimensions: number,
): number {
  let [even, odd] = [0, 0]; // two sums: additions need not wait for each other
  let d = 0;
  for (; d + 1 < dimensions; d += 2) {
    const p = a[at + d]! - b[bt + d]!;
    const q = a[at + d + 1]! - b[bt + d + 1]!;
    even += p * p;
    odd += q * q;
  }
  if (d < dimensions) even += (a[at + d]! - b[bt + d]!) ** 2;
  return even + odd;
}
