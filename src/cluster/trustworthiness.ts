/**
 * Trustworthiness of a map (Venna & Kaski 2001), scikit-learn's formula: how far the k nearest neighbours of each point on
 * the map are near it in the original space,
 *
 *   T = 1 - 2 / (n k (2 n - 3 k - 1)) * sum_i sum_{j in map neighbours of i} max(0, r(i, j) - k)
 *
 * r(i, j) is the rank of j among the points by distance from i in the original space, 1 for the nearest; equal distances share
 * the best rank. Defined for k < n / 2.
 */
import { inputError } from '../base/errors.ts';
import { vectorArray } from '../retrieve/exact.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { moments } from './vector-source.ts';

/** Rows a product. */
const blockRows = 512;

/** `vectors` [n, dimensions], `points` [n, 2]; distances are Euclidean. */
export async function trustworthiness(
  vectors: Float32Array,
  points: Float32Array,
  { dimensions, neighbours, product }: { dimensions: number; neighbours: number; product: MatrixProduct },
): Promise<number> {
  const n = vectors.length / dimensions;
  if (!(Number.isInteger(neighbours) && neighbours >= 1 && neighbours < n / 2))
    throw inputError('trustworthiness is not defined for so many neighbours', {
      code: 'cluster.map',
      field: 'neighbours',
      expected: `a whole number from 1, below half of ${n} points`,
      found: String(neighbours),
    });
  const { mean } = await moments(vectorArray(vectors, dimensions));
  const centred = vectors.map((value, i) => value - mean[i % dimensions]!);
  const squares = Float64Array.from({ length: n }, (_, row) => {
    let sum = 0;
    for (let d = row * dimensions; d < (row + 1) * dimensions; d++) sum += centred[d]! ** 2;
    return sum;
  });
  let excess = 0;
  for (let from = 0; from < n; from += blockRows) {
    const rows = Math.min(blockRows, n - from);
    const block = centred.slice(from * dimensions, (from + rows) * dimensions);
    const dots = await product.multiply(block, rows, centred.slice(), n, dimensions);
    for (let i = 0; i < rows; i++) {
      const row = from + i;
      /** Squared distances from the point, less its own square. */
      const distances = Float64Array.from({ length: n }, (_, j) =>
        j === row ? Number.POSITIVE_INFINITY : squares[j]! - 2 * dots[i * n + j]!,
      );
      for (const j of nearestPoints(points, row, neighbours)) {
        let rank = 1;
        for (let other = 0; other < n; other++) if (distances[other]! < distances[j]!) rank++;
        excess += Math.max(0, rank - neighbours);
      }
    }
  }
  return 1 - (2 * excess) / (n * neighbours * (2 * n - 3 * neighbours - 1));
}

/** The nearest points on the map, the point itself left out; by insertion, for there are few. */
function nearestPoints(points: Float32Array, row: number, count: number): Int32Array {
  const rows = new Int32Array(count).fill(-1);
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const [x, y] = [points[2 * row]!, points[2 * row + 1]!];
  for (let other = 0; other * 2 < points.length; other++) {
    if (other === row) continue;
    const distance = (points[2 * other]! - x) ** 2 + (points[2 * other + 1]! - y) ** 2;
    if (distance >= distances[count - 1]!) continue;
    let at = count - 1;
    for (; at > 0 && distances[at - 1]! > distance; at--) {
      distances[at] = distances[at - 1]!;
      rows[at] = rows[at - 1]!;
    }
    distances[at] = distance;
    rows[at] = other;
  }
  return rows;
}
