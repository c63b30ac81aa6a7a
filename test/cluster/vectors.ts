/** The vectors of test/oracle/kmeans.py, and products by plain loops for tests that need no engine. */
import type { MatrixProduct } from '../../src/retrieve/matrix-product.ts';

export interface VectorCase {
  seed: number;
  rows: number;
  dimensions: number;
  groups: number;
  spread: number;
  offset: number;
}

export function caseVectors({ seed, rows, dimensions, groups, spread, offset }: VectorCase): Float32Array {
  let state = seed;
  const draw = () => {
    // 1664525 * state needs 53 bits and more: in two halves.
    const low = 1664525 * (state & 0xffff);
    const high = (1664525 * (state >>> 16)) % 65536;
    state = (low + high * 65536 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
  const middles = Array.from({ length: groups }, () => Array.from({ length: dimensions }, () => draw() - 0.5));
  const vectors = new Float32Array(rows * dimensions);
  for (let row = 0, at = 0; row < rows; row++)
    for (const value of middles[Math.floor(draw() * groups)]!)
      vectors[at++] = offset + value + spread * (draw() + draw() + draw() - 1.5);
  return vectors;
}

export const plainProduct: MatrixProduct = {
  async multiply(a, m, b, n, k) {
    const result = new Float32Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let d = 0; d < k; d++) sum += a[i * k + d]! * b[j * k + d]!;
        result[i * n + j] = sum;
      }
    return result;
  },
  async close() {},
};
