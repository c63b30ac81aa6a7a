/**
 * The matrices of LSA: one sparse (compressed rows, float32) and tall dense ones (row-major, float32), with the few
 * operations a randomised SVD needs. Products run in the kernel's SIMD float32; sums that decide orthogonality in float64.
 */
import { lanes, type Placed, type RowKernel } from './lsa-kernel.ts';

/** Compressed sparse rows: entries of row i are [starts[i], starts[i + 1]). */
export interface SparseMatrix {
  rows: number;
  columns: number;
  starts: Int32Array;
  indices: Int32Array;
  values: Float32Array;
}

/** The same matrix by columns: counting sort, entries of a row of the result in ascending order. */
export function transpose({ rows, columns, starts, indices, values }: SparseMatrix): SparseMatrix {
  const result: SparseMatrix = {
    rows: columns,
    columns: rows,
    starts: new Int32Array(columns + 1),
    indices: new Int32Array(indices.length),
    values: new Float32Array(values.length),
  };
  for (let i = 0; i < indices.length; i++) result.starts[indices[i]! + 1]++;
  for (let column = 0; column < columns; column++) result.starts[column + 1]! += result.starts[column]!;
  const places = result.starts.slice(0, -1);
  for (let row = 0; row < rows; row++)
    for (let i = starts[row]!; i < starts[row + 1]!; i++) {
      const place = places[indices[i]!]++;
      result.indices[place] = row;
      result.values[place] = values[i]!;
    }
  return result;
}

/** A sparse matrix whose entries lie in the kernel's memory. */
interface PlacedSparse {
  rows: number;
  starts: Int32Array;
  indices: Placed<Int32Array>;
  values: Placed<Float32Array>;
}

export function placeSparse(kernel: RowKernel, { rows, starts, indices, values }: SparseMatrix): PlacedSparse {
  const placed = { rows, starts, indices: kernel.integers(indices.length), values: kernel.floats(values.length) };
  placed.indices.view.set(indices);
  placed.values.view.set(values);
  return placed;
}

/** result [n, width] = sparse [n, m] times dense [m, width]; width a multiple of `lanes`. */
export function multiplySparse(
  kernel: RowKernel,
  { rows, starts, indices, values }: PlacedSparse,
  dense: Placed<Float32Array>,
  result: Placed<Float32Array>,
  width: number,
): void {
  result.view.fill(0);
  for (let row = 0; row < rows; row++) {
    const from = starts[row]!;
    const out = result.at + row * width * 4;
    kernel.addRows(out, dense.at, indices.at + from * 4, values.at + from * 4, starts[row + 1]! - from, width);
  }
}

/** result [n, kept] = tall [n, width] times square [width, kept]; kept a multiple of `lanes`. `order` holds 0..width-1. */
export function multiplyTall(
  kernel: RowKernel,
  tall: Placed<Float32Array>,
  square: Placed<Float32Array>,
  result: Placed<Float32Array>,
  order: Placed<Int32Array>,
  width: number,
  kept: number,
): void {
  result.view.fill(0);
  for (let row = 0; row * width < tall.view.length; row++)
    kernel.addRows(result.at + row * kept * 4, square.at, order.at, tall.at + row * width * 4, width, kept);
}

/** Columns of a triangle that are multiplied at once; a multiple of `lanes`. */
const triangleColumns = 96;

/**
 * result = tall [n, width] times an upper triangle [width, width]: columns in strips, each as tall as it has values.
 * `square` is room for the strips; `order` holds 0..width-1.
 */
export function multiplyTriangle(
  kernel: RowKernel,
  tall: Placed<Float32Array>,
  triangle: Float64Array,
  square: Placed<Float32Array>,
  result: Placed<Float32Array>,
  order: Placed<Int32Array>,
  width: number,
): void {
  const strips: { from: number; columns: number; rows: number; at: number }[] = [];
  for (let from = 0, filled = 0; from < width; from += triangleColumns) {
    const columns = Math.min(triangleColumns, width - from);
    const rows = from + columns;
    strips.push({ from, columns, rows, at: square.at + filled * 4 });
    for (let i = 0; i < rows; i++)
      for (let j = from; j < from + columns; j++) square.view[filled++] = triangle[i * width + j]!;
  }
  result.view.fill(0);
  for (let row = 0; row * width < tall.view.length; row++)
    for (const { from, columns, rows, at } of strips)
      kernel.addRows(result.at + (row * width + from) * 4, at, order.at, tall.at + row * width * 4, rows, columns);
}

/** Rows of a tall matrix that are widened to float64 at once. */
const outerRows = 32;

/** Aᵀ B of tall matrices [n, width] of which it is known to be symmetric, in float64. */
export class SymmetricProduct {
  private readonly kernel: RowKernel;
  private readonly width: number;
  private readonly padded: number;
  private readonly result: Placed<Float64Array>;
  private readonly panels: readonly [Placed<Float64Array>, Placed<Float64Array>];

  /** Bytes it takes of a kernel's memory. */
  static bytes(width: number): number {
    return 8 * (width + lanes) * (width + lanes + 2 * outerRows);
  }

  constructor(kernel: RowKernel, width: number) {
    this.kernel = kernel;
    this.width = width;
    this.padded = Math.ceil(width / lanes) * lanes;
    this.result = kernel.doubles(this.padded * this.padded);
    this.panels = [kernel.doubles(outerRows * this.padded), kernel.doubles(outerRows * this.padded)];
  }

  of(a: Float32Array, b: Float32Array): Float64Array {
    const { kernel, width, padded, result, panels } = this;
    const rows = a.length / width;
    result.view.fill(0);
    for (let from = 0; from < rows; from += outerRows) {
      const some = Math.min(outerRows, rows - from);
      this.widen(a, from, some, panels[0].view);
      if (a !== b) this.widen(b, from, some, panels[1].view);
      kernel.addOuter(result.at, panels[0].at, (a === b ? panels[0] : panels[1]).at, some, padded);
    }
    const product = new Float64Array(width * width);
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) {
        product[i * width + j] = result.view[i * padded + j]!;
        product[j * width + i] = product[i * width + j]!;
      }
    return product;
  }

  private widen(matrix: Float32Array, from: number, rows: number, panel: Float64Array): void {
    const { width, padded } = this;
    if (width === padded) panel.set(matrix.subarray(from * width, (from + rows) * width));
    else
      for (let row = 0; row < rows; row++)
        panel.set(matrix.subarray((from + row) * width, (from + row + 1) * width), row * padded);
  }
}

/**
 * The matrix that makes the columns of Y orthonormal, Y R⁻¹, from its Gram matrix G = Yᵀ Y = Rᵀ R (Cholesky QR). A column that
 * depends on those before it, to float32's precision, becomes zero.
 */
export function orthonormaliser(gram: Float64Array, width: number): Float64Array {
  const r = Float64Array.from(gram); // its upper triangle becomes R
  const inverse = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) {
      const factor = r[k * width + i]!;
      if (factor !== 0) for (let j = i; j < width; j++) r[i * width + j]! -= factor * r[k * width + j]!;
    }
    const pivot = r[i * width + i]!;
    const independent = pivot > gram[i * width + i]! * 1e-10 && pivot > 1e-30;
    const scale = independent ? 1 / Math.sqrt(pivot) : 0;
    for (let j = i; j < width; j++) r[i * width + j]! *= scale;
    if (!independent) continue;
    // Column i of R⁻¹: (e_i - sum over k < i of column k * R[k, i]) / R[i, i].
    inverse[i * width + i] = scale;
    for (let k = 0; k < i; k++) {
      const factor = r[k * width + i]! * scale;
      if (factor !== 0) for (let m = 0; m <= k; m++) inverse[m * width + i]! -= factor * inverse[m * width + k]!;
    }
  }
  return inverse;
}

/** The largest singular value of a square matrix, a little from below: power iteration on MᵀM. */
export function largestSingularValue(matrix: Float64Array, width: number): number {
  let vector = new Float64Array(width).fill(1);
  let norm = 0;
  for (let step = 0; step < 40; step++) {
    const image = new Float64Array(width);
    const back = new Float64Array(width);
    const scale = 1 / Math.hypot(...vector);
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) image[i]! += matrix[i * width + j]! * vector[j]! * scale;
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) back[j]! += matrix[i * width + j]! * image[i]!;
    norm = Math.hypot(...image);
    vector = back;
    if (norm === 0) break;
  }
  return norm;
}
