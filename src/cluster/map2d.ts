/**
 * A map of documents in the plane by UMAP (McInnes, Healy & Melville 2018; umap-js): for the eye only. Neighbours are kept,
 * distances between far groups, sizes of groups and the axes mean nothing; `trustworthiness` says how well neighbours are kept.
 *
 * Neighbours are exact, by cosine (retrieve/exact.ts); every draw is seeded, so that the same vectors give the same map. A map
 * of more documents than a picture can show is one of a sample that keeps the shares of the labels.
 */
import { UMAP } from 'umap-js';
import { inputError, workError } from '../base/errors.ts';
import { type RandomStream, stream } from '../base/random.ts';
import { searchExact, type VectorBlocks, vectorArray } from '../retrieve/exact.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { trustworthiness } from './trustworthiness.ts';
import { moments, type VectorSource, vectorBlocks } from './vector-source.ts';

export interface MapOptions {
  /** Numbers a vector; needed where the vectors come as one array. */
  dimensions?: number;
  product: MatrixProduct;
  /** Default 0. */
  seed?: number;
  /** Documents on the map at most. Default 2000. */
  points?: number;
  /** A label of each document, negative for none, whose shares the sample keeps. */
  labels?: Int32Array;
  /** Neighbours of each document that the map tries to keep, fewer where there are fewer documents. Default 15. */
  neighbours?: number;
  /** How near points may lie on the map. Default 0.1. */
  minDistance?: number;
  signal?: AbortSignal;
}

export interface Map2d {
  /** Documents on the map, ascending. */
  rows: Int32Array;
  /** [rows, 2] */
  points: Float32Array;
  neighbours: number;
  /** Of the neighbours on the map, how far they are neighbours by cosine too: 1 is all, chance about 0.5. */
  trustworthiness: number;
}

/** Fewer documents make no map. */
const leastPoints = 4;

/** Throws an input error for fewer than four vectors and for values that are not finite. */
export async function map2d(vectors: VectorSource, options: MapOptions): Promise<Map2d> {
  const { product, seed = 0, points = 2000, labels, minDistance = 0.1, signal } = options;
  const source = vectorBlocks(vectors, options.dimensions);
  const { count, dimensions } = source;
  if (Math.min(count, points) < leastPoints)
    throw inputError('a map needs more documents', {
      code: 'cluster.map',
      field: count < leastPoints ? 'vectors' : 'points',
      expected: `at least ${leastPoints}`,
      found: String(Math.min(count, points)),
    });
  if (labels !== undefined && labels.length !== count)
    throw inputError('there is not one label a document', {
      code: 'cluster.map',
      field: 'labels',
      expected: `${count} numbers`,
      found: String(labels.length),
    });
  const rows = sampleByLabel(labels ?? new Int32Array(count), points, stream(seed, 'map', 'sample'));
  const sample = await unitVectors(source, rows);
  await moments(vectorArray(sample, dimensions), signal); // refuses what is not finite
  // Trustworthiness is defined for fewer neighbours than half the points.
  const neighbours = Math.min(options.neighbours ?? 15, Math.ceil(rows.length / 2) - 1);
  const found = await searchExact(vectorArray(sample, dimensions), sample, {
    product,
    k: neighbours,
    filter: { excluded: (row) => [row] },
    ...(signal === undefined ? {} : { signal }),
  });
  const random = stream(seed, 'map', 'layout');
  const umap = new UMAP({ nNeighbors: neighbours + 1, minDist: minDistance, random: () => random.uniform() });
  umap.setPrecomputedKNN(
    found.map((near, row) => [row, ...near.rows]), // as UMAP counts: a point is its own first neighbour
    found.map(({ scores }) => [0, ...Array.from(scores, (cosine) => Math.max(0, 1 - cosine))]),
  );
  const unused = found.map((): number[] => []); // of the vectors it reads but their number
  const epochs = umap.initializeFit(unused);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (epoch % 20 > 0) continue;
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve)); // others have their turn
  }
  const layout = Float32Array.from(umap.getEmbedding().flat());
  if (!layout.every(Number.isFinite)) throw workError('the map has points that are nowhere', { code: 'cluster.map' });
  return {
    rows,
    points: layout,
    neighbours,
    trustworthiness: await trustworthiness(sample, layout, { dimensions, neighbours, product }),
  };
}

/** Rows of a sample that keeps the labels' shares: one of each label as far as there is room, the rest by largest remainder. */
export function sampleByLabel(labels: Int32Array, size: number, random: RandomStream): Int32Array {
  if (size >= labels.length) return Int32Array.from(labels.keys());
  const groups = new Map<number, number[]>();
  labels.forEach((label, row) => {
    const own = groups.get(label);
    if (own === undefined) groups.set(label, [row]);
    else own.push(row);
  });
  // Large groups first; the order of equal ones is drawn, as are the members.
  const order = random.shuffle([...groups.values()]).sort((a, b) => b.length - a.length);
  const share = size / labels.length;
  const quota = order.map((own) => Math.max(1, Math.floor(own.length * share)));
  const remainder = (i: number) => order[i]!.length * share - quota[i]!;
  let spare = size - quota.reduce((sum, n) => sum + n, 0);
  const byRemainder = order.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (let at = 0; spare > 0; at = (at + 1) % order.length) {
    const i = byRemainder[at]!;
    if (quota[i] === order[i]!.length) continue;
    quota[i]!++;
    spare--;
  }
  // Labels that got one more than their share take it from those with most, then the smallest labels go without.
  while (spare < 0) {
    const most = quota.reduce((best, n, i) => (n > quota[best]! ? i : best), 0);
    if (quota[most] === 1) break;
    quota[most]!--;
    spare++;
  }
  for (let i = order.length - 1; spare < 0; i--, spare++) quota[i] = 0;
  return Int32Array.from(order.flatMap((own, i) => random.shuffle(own).slice(0, quota[i]))).sort();
}

/** Vectors of these rows (ascending) at length 1; a vector of zeros stays. */
async function unitVectors(source: VectorBlocks, rows: Int32Array): Promise<Float32Array> {
  const { dimensions } = source;
  const taken = new Float32Array(rows.length * dimensions);
  let next = 0;
  for await (const { from, vectors } of source.blocks()) {
    const end = from + vectors.length / dimensions;
    for (; next < rows.length && rows[next]! < end; next++) {
      const at = (rows[next]! - from) * dimensions;
      let squares = 0;
      for (let d = 0; d < dimensions; d++) squares += vectors[at + d]! ** 2;
      const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
      for (let d = 0; d < dimensions; d++) taken[next * dimensions + d] = vectors[at + d]! * scale;
    }
  }
  return taken;
}
