/**
 * The data term of logistic regression on sparse rows (TF-IDF), in the kernel's SIMD float32 in this thread:
 *
 *   R = σ(X Wᵀ + b) - Y  or softmax, times the weights of rows;   Rᵀ X and the column sums of R   [outputs, columns + 1]
 *
 * Labels are taken off before the sum, which so keeps more digits than the difference of two sums. R is computed in float64 from float32 products, its column sums (the intercepts' gradient) in float64. Rows are not
 * centred, which would fill them. Memory: the matrix twice (by rows, by columns), and float32 (2 columns + rows) x outputs.
 */
import { lanes, type Placed, RowKernel } from '../encode/lsa-kernel.ts';
import { multiplySparse, placeSparse, type SparseMatrix, transpose } from '../encode/lsa-matrix.ts';
import { type Coordinates, type DataTerm, placesOf, type Targets } from './logistic-objective.ts';

export class SparseTerm implements DataTerm {
  private readonly matrix: SparseMatrix;
  private readonly kernel: RowKernel;
  private readonly forwards: ReturnType<typeof placeSparse>;
  private readonly backwards: ReturnType<typeof placeSparse>;
  private readonly targets: Targets;
  /** Room for [columns, outputs], [rows, outputs] and [columns, outputs], outputs rounded up to lanes. */
  private readonly dense: Placed<Float32Array>;
  private readonly scores: Placed<Float32Array>;
  private readonly sums: Placed<Float32Array>;

  /** For at most `outputs` at a time. */
  constructor(matrix: SparseMatrix, targets: Targets, outputs: number) {
    const { rows, columns, indices } = matrix;
    const most = roundUp(outputs);
    this.matrix = matrix;
    this.targets = targets;
    this.kernel = new RowKernel(16 * indices.length + 4 * most * (2 * columns + rows) + 1024);
    this.forwards = placeSparse(this.kernel, matrix);
    this.backwards = placeSparse(this.kernel, transpose(matrix));
    this.dense = this.kernel.floats(columns * most);
    this.scores = this.kernel.floats(rows * most);
    this.sums = this.kernel.floats(columns * most);
  }

  async residuals(asked: Int32Array, points: Float32Array): Promise<Float64Array> {
    const { rows, columns } = this.matrix;
    const outputs = points.length / (columns + 1);
    const width = roundUp(outputs);
    const part = ({ at, view }: Placed<Float32Array>, length: number) => ({ at, view: view.subarray(0, length) });
    const [dense, scores, sums] = [
      part(this.dense, columns * width),
      part(this.scores, rows * width),
      part(this.sums, columns * width),
    ];
    const intercepts = new Float64Array(outputs);
    for (let output = 0; output < outputs; output++) {
      const at = output * (columns + 1);
      for (let column = 0; column < columns; column++) dense.view[column * width + output] = points[at + column]!;
      intercepts[output] = points[at + columns]!;
    }
    multiplySparse(this.kernel, this.forwards, dense, scores, width);
    const totals = this.targets.softmax
      ? this.softmaxes(asked, scores.view, width, intercepts)
      : this.sigmoids(asked, scores.view, width, intercepts);
    multiplySparse(this.kernel, this.backwards, scores, sums, width);
    const result = new Float64Array(points.length);
    for (let output = 0; output < outputs; output++) {
      const at = output * (columns + 1);
      for (let column = 0; column < columns; column++) result[at + column] = sums.view[column * width + output]!;
      result[at + columns] = totals[output]!;
    }
    return result;
  }

  async close(): Promise<void> {}

  /** Scores become R; returns its column sums. */
  private sigmoids(asked: Int32Array, scores: Float32Array, width: number, intercepts: Float64Array): Float64Array {
    const { positive, negative, truth } = this.targets;
    const outputs = intercepts.length;
    const totals = new Float64Array(outputs);
    const place = placesOf(asked, positive.length);
    const marked = new Uint8Array(outputs);
    for (let row = 0; row < this.matrix.rows; row++) {
      const [from, to] = [truth.offsets[row]!, truth.offsets[row + 1]!];
      for (let k = from; k < to; k++) {
        const output = place[truth.codes[k]!]!;
        if (output >= 0) marked[output] = 1;
      }
      for (let output = 0; output < outputs; output++) {
        const label = asked[output]!;
        const z = scores[row * width + output]! + intercepts[output]!;
        // σ(z) - 1 = -σ(-z)
        const value =
          marked[output] === 1 ? -positive[label]! / (1 + Math.exp(z)) : negative[label]! / (1 + Math.exp(-z));
        scores[row * width + output] = value;
        totals[output]! += value;
        marked[output] = 0;
      }
    }
    return totals;
  }

  private softmaxes(asked: Int32Array, scores: Float32Array, width: number, intercepts: Float64Array): Float64Array {
    const outputs = intercepts.length;
    const totals = new Float64Array(outputs);
    const values = new Float64Array(outputs);
    const { positive, truth } = this.targets;
    for (let row = 0; row < this.matrix.rows; row++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let output = 0; output < outputs; output++) {
        values[output] = scores[row * width + output]! + intercepts[output]!;
        if (values[output]! > most) most = values[output]!;
      }
      let sum = 0;
      for (let output = 0; output < outputs; output++) {
        values[output] = Math.exp(values[output]! - most);
        sum += values[output]!;
      }
      const own = truth.codes[row]!;
      for (let output = 0; output < outputs; output++) {
        const value = positive[own]! * (values[output]! / sum - (asked[output] === own ? 1 : 0));
        scores[row * width + output] = value;
        totals[output]! += value;
      }
    }
    return totals;
  }
}

const roundUp = (width: number) => Math.ceil(width / lanes) * lanes;

/** Rows as they are; the second moment of each column. */
export function sparseCoordinates({ rows, columns, indices, values }: SparseMatrix): Coordinates {
  const variances = new Float64Array(columns);
  for (let i = 0; i < indices.length; i++) variances[indices[i]!]! += values[i]! ** 2 / rows;
  return { width: columns, mean: new Float64Array(columns), variances, axes: undefined };
}

/** Labels of a product of predictions. */
const predictedLabels = 256;

/** X Wᵀ for weights [labels, columns], [rows, labels]. */
export function sparseScores(matrix: SparseMatrix, weights: Float32Array, labels: number): Float32Array {
  const { rows, columns, indices } = matrix;
  const most = roundUp(Math.min(labels, predictedLabels));
  const kernel = new RowKernel(8 * indices.length + 4 * most * (columns + rows) + 1024);
  const placed = placeSparse(kernel, matrix);
  const dense = kernel.floats(columns * most);
  const product = kernel.floats(rows * most);
  const scores = new Float32Array(rows * labels);
  for (let from = 0; from < labels; from += predictedLabels) {
    const some = Math.min(predictedLabels, labels - from);
    for (let label = 0; label < some; label++)
      for (let column = 0; column < columns; column++)
        dense.view[column * most + label] = weights[(from + label) * columns + column]!;
    multiplySparse(kernel, placed, dense, product, most);
    for (let row = 0; row < rows; row++)
      scores.set(product.view.subarray(row * most, row * most + some), row * labels + from);
  }
  return scores;
}
