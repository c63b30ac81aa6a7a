/**
 * Eigenvalues and eigenvectors of a symmetric matrix, in float64: Householder reflections make it tridiagonal, implicit QL
 * steps make that diagonal (Golub & Van Loan, Matrix Computations, 8.3; EISPACK's tred2 and tql2). Some 4 n³ operations, to
 * within rounding of the largest eigenvalue. Vectors lie in rows while they are worked on, so that all inner loops run along
 * memory.
 */
import { workError } from '../base/errors.ts';

/** Steps for one eigenvalue; two are usual. */
const mostSteps = 60;

/**
 * Eigenvalues (descending) and eigenvectors (columns) of a symmetric matrix [size, size]. Columns are signed so that their
 * largest component is positive.
 */
export function symmetricEigen(symmetric: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const { diagonal, beside, rows } = tridiagonal(Float64Array.from(symmetric), size);
  diagonalise(diagonal, beside, rows, size);
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => diagonal[j]! - diagonal[i]! || i - j);
  const vectors = new Float64Array(size * size);
  for (const [column, i] of order.entries()) {
    const vector = rows.subarray(i * size, (i + 1) * size);
    let largest = 0;
    for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
    for (let k = 0; k < size; k++) vectors[k * size + column] = largest < 0 ? -vector[k]! : vector[k]!;
  }
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** T = Qᵀ A Q with T's diagonal, its neighbours (beside[i] joins i and i + 1), and Q's columns as rows. Overwrites `a`. */
function tridiagonal(
  a: Float64Array,
  size: number,
): { diagonal: Float64Array; beside: Float64Array; rows: Float64Array } {
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  const factors = new Float64Array(size);
  const product = new Float64Array(size);
  for (let k = 0; k + 1 < size; k++) {
    // The reflection I - factor v vᵀ that leaves of row k beyond the diagonal one number; v stays in its place.
    const v = a.subarray(k * size, (k + 1) * size);
    diagonal[k] = v[k]!;
    let squares = 0;
    for (let i = k + 2; i < size; i++) squares += v[i]! * v[i]!;
    const first = v[k + 1]!;
    if (squares === 0) {
      beside[k] = first;
      continue;
    }
    const norm = Math.sqrt(squares + first * first);
    beside[k] = first > 0 ? -norm : norm;
    v[k + 1] = first - beside[k]!;
    const factor = 2 / (squares + v[k + 1]! * v[k + 1]!);
    factors[k] = factor;
    // A - v wᵀ - w vᵀ with w = p - (factor / 2) (vᵀ p) v, p = factor A v.
    let along = 0;
    for (let i = k + 1; i < size; i++) {
      product[i] = factor * dot(a, i * size, v, k + 1, size);
      along += v[i]! * product[i]!;
    }
    along *= factor / 2;
    for (let i = k + 1; i < size; i++) product[i]! -= along * v[i]!;
    for (let i = k + 1; i < size; i++) {
      const [vi, wi, at] = [v[i]!, product[i]!, i * size];
      for (let j = k + 1; j < size; j++) a[at + j]! -= vi * product[j]! + wi * v[j]!;
    }
  }
  if (size > 0) diagonal[size - 1] = a[size * size - 1]!;
  const rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rows[i * size + i] = 1;
  for (let k = size - 2; k >= 0; k--) {
    if (factors[k] === 0) continue;
    const v = a.subarray(k * size, (k + 1) * size);
    for (let i = k + 1; i < size; i++) {
      const scale = factors[k]! * dot(rows, i * size, v, k + 1, size);
      for (let j = k + 1, at = i * size; j < size; j++) rows[at + j]! -= scale * v[j]!;
    }
  }
  return { diagonal, beside, rows };
}

/** Sum over from <= j < to of matrix[at + j] * vector[j]. */
function dot(matrix: Float64Array, at: number, vector: Float64Array, from: number, to: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let j = from;
  for (; j + 3 < to; j += 4) {
    a += matrix[at + j]! * vector[j]!;
    b += matrix[at + j + 1]! * vector[j + 1]!;
    c += matrix[at + j + 2]! * vector[j + 2]!;
    d += matrix[at + j + 3]! * vector[j + 3]!;
  }
  for (; j < to; j++) a += matrix[at + j]! * vector[j]!;
  return a + b + (c + d);
}

/** QL with Wilkinson's shift: `diagonal` becomes the eigenvalues, `rows` are turned along. */
function diagonalise(diagonal: Float64Array, beside: Float64Array, rows: Float64Array, size: number): void {
  for (let low = 0; low < size; low++) {
    for (let step = 0; ; step++) {
      let high = low;
      while (high + 1 < size && !negligible(beside[high]!, diagonal[high]!, diagonal[high + 1]!)) high++;
      if (high === low) break;
      if (step === mostSteps) throw workError('eigenvalues were not found', { code: 'lsa.eigen' });
      const half = (diagonal[low + 1]! - diagonal[low]!) / (2 * beside[low]!);
      const root = Math.sqrt(half * half + 1);
      let g = diagonal[high]! - diagonal[low]! + beside[low]! / (half + (half < 0 ? -root : root));
      let [sine, cosine, moved] = [1, 1, 0];
      let i = high - 1;
      for (; i >= low; i--) {
        const f = sine * beside[i]!;
        const b = cosine * beside[i]!;
        const length = Math.sqrt(f * f + g * g);
        beside[i + 1] = length;
        if (length === 0) break; // the matrix falls apart here
        sine = f / length;
        cosine = g / length;
        g = diagonal[i + 1]! - moved;
        const turned = (diagonal[i]! - g) * sine + 2 * cosine * b;
        moved = sine * turned;
        diagonal[i + 1] = g + moved;
        g = cosine * turned - b;
        rotateRows(rows, size, i, cosine, sine);
      }
      if (i >= low) diagonal[i + 1]! -= moved;
      else {
        diagonal[low]! -= moved;
        beside[low] = g;
      }
      beside[high] = 0;
    }
  }
}

function negligible(beside: number, a: number, b: number): boolean {
  return Math.abs(beside) <= Number.EPSILON * (Math.abs(a) + Math.abs(b)) || Math.abs(beside) < 1e-300;
}

/** Rows i and i + 1, turned. */
function rotateRows(rows: Float64Array, size: number, i: number, cosine: number, sine: number): void {
  for (let k = 0, p = i * size, q = p + size; k < size; k++, p++, q++) {
    const x = rows[p]!;
    const y = rows[q]!;
    rows[p] = cosine * x - sine * y;
    rows[q] = sine * x + cosine * y;
  }
}
