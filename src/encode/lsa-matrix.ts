/**
 * The matrices of LSA: one sparse (compressed rows, float32) and tall dense ones (row-major, float32), with the few
 * operations a randomised SVD needs. Sums over rows run in float64 where they decide orthogonality.
 */

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

/** sparse [n, m] times dense [m, width] -> [n, width]. */
export function multiplySparse(
  { rows, starts, indices, values }: SparseMatrix,
  dense: Float32Array,
  width: number,
): Float32Array {
  const result = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    addRows(result, row * width, dense, indices, values, starts[row]!, starts[row + 1]!, width);
  return result;
}

/** result[at + c] += sum over i in [from, to) of values[i] * dense[indices[i], c], four entries at a time. */
export function addRows(
  result: Float32Array,
  at: number,
  dense: Float32Array,
  indices: Int32Array,
  values: Float32Array,
  from: number,
  to: number,
  width: number,
): void {
  let i = from;
  for (; i + 3 < to; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    let p = indices[i]! * width;
    let q = indices[i + 1]! * width;
    let r = indices[i + 2]! * width;
    let s = indices[i + 3]! * width;
    for (let k = at; k < at + width; k++)
      result[k]! += a * dense[p++]! + b * dense[q++]! + c * dense[r++]! + d * dense[s++]!;
  }
  for (; i < to; i++) {
    const a = values[i]!;
    let p = indices[i]! * width;
    for (let k = at; k < at + width; k++) result[k]! += a * dense[p++]!;
  }
}

/** Yᵀ Y of a tall matrix [n, width], in float64. */
export function gram(tall: Float32Array, width: number): Float64Array {
  const result = new Float64Array(width * width);
  const rows = tall.length / width;
  const [a, b, c, d] = [0, 1, 2, 3].map(() => new Float64Array(width)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const quad = [a, b, c, d];
  for (let row = 0; row < rows; row += 4) {
    for (let lane = 0; lane < 4; lane++) {
      if (row + lane < rows) quad[lane]!.set(tall.subarray((row + lane) * width, (row + lane + 1) * width));
      else quad[lane]!.fill(0);
    }
    for (let i = 0; i < width; i++) {
      const [p, q, r, s] = [a[i]!, b[i]!, c[i]!, d[i]!];
      const at = i * width;
      for (let j = i; j < width; j++) result[at + j]! += p * a[j]! + q * b[j]! + r * c[j]! + s * d[j]!;
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) result[i * width + j] = result[j * width + i]!;
  return result;
}

/** tall [n, width] times square [width, kept] -> [n, kept]; `square` has rows of `width`, of which the first `kept` count. */
export function multiplyTall(tall: Float32Array, width: number, square: Float64Array, kept: number): Float32Array {
  const rows = tall.length / width;
  const result = new Float32Array(rows * kept);
  const sums = new Float64Array(kept);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let i = 0; i < width; i++) {
      const factor = tall[row * width + i]!;
      if (factor === 0) continue;
      const at = i * width;
      for (let j = 0; j < kept; j++) sums[j]! += factor * square[at + j]!;
    }
    result.set(sums, row * kept);
  }
  return result;
}

/**
 * Makes the columns of a tall matrix orthonormal, in place, by Cholesky QR: Yᵀ Y = Rᵀ R, Q = Y R⁻¹. A column that depends
 * on those before it (to float32's precision) becomes zero: the rank of the matrix is not more than that.
 */
export function orthonormalise(tall: Float32Array, width: number): void {
  const r = gram(tall, width); // the upper triangle becomes R
  const dependent = new Uint8Array(width);
  for (let i = 0; i < width; i++) {
    const before = r[i * width + i]!;
    let pivot = before;
    for (let k = 0; k < i; k++) pivot -= r[k * width + i]! ** 2;
    if (!(pivot > before * 1e-10) || before < 1e-30) {
      dependent[i] = 1;
      for (let j = i; j < width; j++) r[i * width + j] = 0;
      continue;
    }
    const root = Math.sqrt(pivot);
    r[i * width + i] = root;
    for (let k = 0; k < i; k++) {
      const factor = r[k * width + i]!;
      if (factor === 0) continue;
      for (let j = i + 1; j < width; j++) r[i * width + j]! -= factor * r[k * width + j]!;
    }
    for (let j = i + 1; j < width; j++) r[i * width + j]! /= root;
  }
  const row = new Float64Array(width);
  for (let at = 0; at < tall.length; at += width) {
    row.set(tall.subarray(at, at + width));
    for (let i = 0; i < width; i++) {
      if (dependent[i] === 1) {
        row[i] = 0;
        continue;
      }
      const value = row[i]! / r[i * width + i]!;
      row[i] = value;
      const from = i * width;
      for (let j = i + 1; j < width; j++) row[j]! -= value * r[from + j]!;
    }
    tall.set(row, at);
  }
}

/**
 * Eigenvalues (descending) and eigenvectors (columns) of a symmetric matrix, by cyclic Jacobi rotations (Golub & Van Loan
 * 8.5): slow for large matrices, exact to the last digits for the few hundred columns here. Columns are signed so that
 * their largest component is positive.
 */
export function symmetricEigen(symmetric: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(symmetric);
  const v = new Float64Array(size * size); // rows are eigenvectors until the end
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  let scale = 0;
  for (const value of a) scale = Math.max(scale, Math.abs(value));
  for (let sweep = 0; sweep < 30; sweep++) {
    let rotations = 0;
    for (let p = 0; p < size - 1; p++)
      for (let q = p + 1; q < size; q++) {
        const apq = a[p * size + q]!;
        const app = a[p * size + p]!;
        const aqq = a[q * size + q]!;
        if (Math.abs(apq) <= 1e-13 * Math.sqrt(Math.abs(app * aqq)) || Math.abs(apq) <= 1e-16 * scale) continue;
        rotations++;
        const theta = (aqq - app) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        rotate(a, size, p, q, c, t * c, app - t * apq, aqq + t * apq);
        rotateRows(v, size, p, q, c, t * c);
      }
    if (rotations === 0) break;
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]! || i - j);
  const vectors = new Float64Array(size * size);
  for (const [column, i] of order.entries()) {
    let largest = 0;
    for (let k = 0; k < size; k++) if (Math.abs(v[i * size + k]!) > Math.abs(largest)) largest = v[i * size + k]!;
    for (let k = 0; k < size; k++) vectors[k * size + column] = largest < 0 ? -v[i * size + k]! : v[i * size + k]!;
  }
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors };
}

function rotate(
  a: Float64Array,
  size: number,
  p: number,
  q: number,
  c: number,
  s: number,
  app: number,
  aqq: number,
): void {
  const [atP, atQ] = [p * size, q * size];
  rotateRows(a, size, p, q, c, s);
  a[atP + p] = app;
  a[atQ + q] = aqq;
  a[atP + q] = 0;
  a[atQ + p] = 0;
  for (let k = 0; k < size; k++) {
    if (k === p || k === q) continue;
    a[k * size + p] = a[atP + k]!;
    a[k * size + q] = a[atQ + k]!;
  }
}

function rotateRows(a: Float64Array, size: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0, i = p * size, j = q * size; k < size; k++, i++, j++) {
    const x = a[i]!;
    const y = a[j]!;
    a[i] = c * x - s * y;
    a[j] = s * x + c * y;
  }
}
