/**
 * k-means by Lloyd's algorithm, scikit-learn's `KMeans` in its rules: greedy k-means++ starts (seeding.ts), the best of
 * several restarts by inertia, a tolerance relative to the mean variance of the dimensions, convergence when no label
 * changes or the centres move less than the tolerance, empty clusters moved to the vectors farthest from their centres.
 * From equal starting centres it gives scikit-learn's labels, centres and iterations (up to its float32 rounding).
 *
 * Vectors are read in blocks, from memory or from a file; what is kept is some 30 bytes a vector. Two things spare work and
 * change no result:
 *  - Bounds (Hamerly 2010): a vector keeps an upper bound of the distance to its own centre and a lower bound of that to
 *    every other one; centres that move by a little widen both by as much. While they do not cross, the vector is skipped.
 *  - Sums of clusters (float64) change by the vectors that change their label alone; the inertia follows from the sums:
 *    sum |x - m|² - 2 sum_k c'_k · (S_k - n_k m) + sum_k n_k |c'_k|²,  c' = c - m, m the mean of all.
 *
 * Labels are those of float64 distances (nearest-centres.ts), so that neither threads nor block sizes change a result.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import type { VectorBlocks } from '../retrieve/exact.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { type Batch, type Nearest, NearestCentres, squaredDistance } from './nearest-centres.ts';
import { sampleRows } from './sample-rows.ts';
import { type Draws, seedRows } from './seeding.ts';
import { checkClusters, type Moments, moments, spreadOf, type VectorSource, vectorBlocks } from './vector-source.ts';

export interface KMeansOptions {
  clusters: number;
  /** Numbers a vector; needed where the vectors come as one array. */
  dimensions?: number;
  product: MatrixProduct;
  /** Of the starting centres. Default 0. */
  seed?: number;
  /** Starting centres [clusters, dimensions] instead of k-means++; then there is one start. */
  start?: Float32Array | Float64Array;
  /** Starts, of which the one of least inertia is taken. Default 1. */
  restarts?: number;
  /** Default 300. */
  maxIterations?: number;
  /** Times the mean variance of the dimensions: the sum of the centres' squared moves that ends the work. Default 1e-4. */
  tolerance?: number;
  /** Starts are sought among so many vectors, drawn at random where there are more. Default 65,536. */
  seedingRows?: number;
  /** Vectors a product. Default 4096. */
  blockRows?: number;
  onIteration?: (progress: { restart: number; iteration: number; inertia: number; changed: number }) => void;
  signal?: AbortSignal;
}

export interface Clustering {
  clusters: number;
  dimensions: number;
  /** [clusters, dimensions] */
  centres: Float64Array;
  /** Cluster of each vector: the nearest centre, the lower number of equal ones. */
  labels: Int32Array;
  /** Vectors of each cluster. Clusters without any are possible only where there are fewer distinct vectors than clusters. */
  sizes: Int32Array;
  /** Sum of squared distances of all vectors to their centres. */
  inertia: number;
  iterations: number;
  converged: boolean;
}

/**
 * Clusters vectors. Throws an input error for no vectors, more clusters than vectors, values that are not finite, and
 * arrays that do not fit `dimensions`.
 */
export async function kMeans(vectors: VectorSource, options: KMeansOptions): Promise<Clustering> {
  const source = vectorBlocks(shared(vectors), options.dimensions);
  const { clusters, seed = 0, start, restarts = 1, seedingRows = 65536, signal } = options;
  checkClusters(clusters, source.count);
  const about = await moments(source, signal);
  const data = new Lloyd(source, about, await spreadOf(source, about.mean), options);
  if (start !== undefined) return data.run(startingCentres(start, clusters, source.dimensions), 0);
  let best: Clustering | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const random: Draws = stream(seed, 'k-means', restart);
    const sample = await sampleRows(source, Math.max(seedingRows, clusters), random);
    const { dimensions } = source;
    const rows = await seedRows(sample, {
      clusters,
      dimensions,
      mean: about.mean,
      random,
      product: options.product,
      ...(signal === undefined ? {} : { signal }),
    });
    const centres = new Float64Array(clusters * dimensions);
    rows.forEach((row, c) => {
      centres.set(sample.subarray(row * dimensions, (row + 1) * dimensions), c * dimensions);
    });
    const found = await data.run(centres, restart);
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Most bytes of vectors that are copied once for all iterations. */
const mostShared = 2 ** 28;

/** Few vectors in memory that the engine can read in place, which spares a copy of every block in every iteration. */
function shared(vectors: VectorSource): VectorSource {
  if (!(vectors instanceof Float32Array) || vectors.byteLength > mostShared) return vectors;
  const copy = new Float32Array(new SharedArrayBuffer(vectors.byteLength));
  copy.set(vectors);
  return copy;
}

/** Starting centres that a caller gave, checked. */
export function startingCentres(
  start: Float32Array | Float64Array,
  clusters: number,
  dimensions: number,
): Float64Array {
  if (start.length === clusters * dimensions && start.every(Number.isFinite)) return Float64Array.from(start);
  throw inputError('the starting centres are wrong', {
    code: 'cluster.start',
    field: 'start',
    expected: `${clusters} x ${dimensions} finite numbers`,
    found: start.length === clusters * dimensions ? 'some that are not finite' : `${start.length} numbers`,
  });
}

/** The clustering that given centres make of the vectors; `spread`: |x - m|² of each. */
export async function finishClustering(
  source: VectorBlocks,
  about: Moments,
  spread: Float64Array,
  centres: Float64Array,
  options: Pick<KMeansOptions, 'clusters' | 'product' | 'blockRows' | 'signal'>,
): Promise<Omit<Clustering, 'iterations' | 'converged'>> {
  return new Lloyd(source, about, spread, options).finish(centres);
}

type LloydOptions = Pick<
  KMeansOptions,
  'clusters' | 'product' | 'maxIterations' | 'tolerance' | 'blockRows' | 'onIteration' | 'signal'
>;

/** One set of vectors under Lloyd's algorithm. */
class Lloyd {
  private readonly source: VectorBlocks;
  private readonly options: LloydOptions;
  private readonly about: Moments;
  /** |x - m|² of each vector. */
  private readonly spread: Float64Array;
  private readonly totalSpread: number;
  private readonly labels: Int32Array;
  /** Upper bound of the distance to the own centre, lower bound of that to any other. */
  private readonly upper: Float64Array;
  private readonly lower: Float64Array;
  private readonly sums: Float64Array;
  private readonly sizes: Int32Array;
  private readonly nearest: NearestCentres;

  constructor(source: VectorBlocks, about: Moments, spread: Float64Array, options: LloydOptions) {
    const { count, dimensions } = source;
    this.source = source;
    this.options = options;
    this.about = about;
    this.spread = spread;
    this.totalSpread = spread.reduce((sum, value) => sum + value, 0);
    this.labels = new Int32Array(count);
    this.upper = new Float64Array(count);
    this.lower = new Float64Array(count);
    this.sums = new Float64Array(options.clusters * dimensions);
    this.sizes = new Int32Array(options.clusters);
    this.nearest = new NearestCentres(options.product, about.mean, options.clusters);
    this.clear();
  }

  /** Nothing is assigned. */
  private clear(): void {
    this.labels.fill(-1);
    this.upper.fill(Number.POSITIVE_INFINITY);
    this.lower.fill(0);
    this.sums.fill(0);
    this.sizes.fill(0);
  }

  async run(start: Float64Array, restart: number): Promise<Clustering> {
    const { maxIterations = 300, tolerance = 1e-4, onIteration } = this.options;
    const enough = this.about.variance * tolerance;
    this.clear();
    let centres = start;
    let iterations = 0;
    let converged = false;
    let settled = false;
    while (!converged && iterations < maxIterations) {
      const changed = await this.assign(centres);
      iterations++;
      onIteration?.({ restart, iteration: iterations, inertia: this.inertia(centres), changed });
      const next = await this.averages(centres);
      const moved = this.widen(centres, next);
      centres = next;
      settled = changed === 0;
      converged = settled || moved <= enough;
    }
    return { ...(await this.finish(centres, !settled)), iterations, converged };
  }

  async finish(centres: Float64Array, assign = true): Promise<Omit<Clustering, 'iterations' | 'converged'>> {
    if (assign) await this.assign(centres);
    return {
      clusters: this.options.clusters,
      dimensions: this.source.dimensions,
      centres,
      labels: this.labels.slice(),
      sizes: this.sizes.slice(),
      inertia: this.inertia(centres),
    };
  }

  /** Labels, bounds and sums for these centres; how many labels changed. */
  private async assign(centres: Float64Array): Promise<number> {
    const { dimensions } = this.source;
    const { nearest } = this;
    const { blockRows = 4096, signal } = this.options;
    const { upper, lower, spread } = this;
    nearest.use(centres);
    let changed = 0;
    let ahead: Promise<number> | undefined;
    for await (const { from, vectors } of this.source.blocks(blockRows)) {
      signal?.throwIfAborted();
      const rows = vectors.length / dimensions;
      const places = new Int32Array(rows);
      let open = 0;
      for (let i = 0; i < rows; i++) if (!(upper[from + i]! < lower[from + i]!)) places[open++] = i;
      if (open === 0) continue;
      const batch: Batch = open === rows ? { vectors } : { vectors, places: places.subarray(0, open) };
      const next = nearest
        .find(batch, (i) => spread[from + (batch.places === undefined ? i : batch.places[i]!)]!)
        .then((found) => this.take(from, batch, found));
      next.catch(() => {}); // if an earlier product fails first, that failure is the one to report
      if (ahead !== undefined) changed += await ahead;
      ahead = next;
    }
    if (ahead !== undefined) changed += await ahead;
    return changed;
  }

  private take(from: number, { vectors, places }: Batch, { labels, best, second, error }: Nearest): number {
    const { dimensions } = this.source;
    const { sums, sizes, spread } = this;
    let changed = 0;
    for (let i = 0; i < labels.length; i++) {
      const place = places === undefined ? i : places[i]!;
      const row = from + place;
      // Rounded outwards, far beyond what float64 loses here.
      this.upper[row] = Math.sqrt(Math.max(0, spread[row]! + best[i]! + error[i]!)) * (1 + 1e-9) + 1e-150;
      this.lower[row] = Math.sqrt(Math.max(0, spread[row]! + second[i]! - error[i]!)) * (1 - 1e-9);
      const before = this.labels[row]!;
      const now = labels[i]!;
      if (before === now) continue;
      changed++;
      this.labels[row] = now;
      sizes[now]!++;
      if (before >= 0) sizes[before]!--;
      const at = place * dimensions;
      const to = now * dimensions;
      for (let d = 0; d < dimensions; d++) sums[to + d]! += vectors[at + d]!;
      const out = before * dimensions;
      if (before >= 0) for (let d = 0; d < dimensions; d++) sums[out + d]! -= vectors[at + d]!;
    }
    return changed;
  }

  /** Means of the clusters; an empty one becomes a vector far from its centre. */
  private async averages(centres: Float64Array): Promise<Float64Array> {
    const { dimensions } = this.source;
    let [sums, sizes] = [this.sums, this.sizes];
    const empty = [...sizes.keys()].filter((c) => sizes[c] === 0);
    if (empty.length > 0) {
      sums = sums.slice();
      sizes = sizes.slice();
      const far = await this.farthest(centres, empty.length);
      if (far[0]!.distance > 0)
        far.forEach(({ vector, label }, i) => {
          const to = empty[i]!;
          for (let d = 0; d < dimensions; d++) {
            sums[label * dimensions + d]! -= vector[d]!;
            sums[to * dimensions + d] = vector[d]!;
          }
          sizes[label]!--;
          sizes[to] = 1;
        });
    }
    const largest = sizes.indexOf(sizes.reduce((a, b) => Math.max(a, b)));
    const means = new Float64Array(sums.length);
    for (let c = 0; c < sizes.length; c++) {
      // A cluster that stays empty lies with the largest one.
      const like = sizes[c]! > 0 ? c : largest;
      for (let d = 0; d < dimensions; d++) means[c * dimensions + d] = sums[like * dimensions + d]! / sizes[like]!;
    }
    return means;
  }

  /** The vectors farthest from their centres, farthest first, equal ones by row. */
  private async farthest(centres: Float64Array, count: number) {
    const { dimensions } = this.source;
    const found: { distance: number; label: number; vector: Float32Array }[] = [];
    for await (const { from, vectors } of this.source.blocks())
      for (let at = 0, row = from; at < vectors.length; at += dimensions, row++) {
        const label = this.labels[row]!;
        const distance = squaredDistance(vectors, at, centres, label * dimensions, dimensions);
        if (found.length === count && distance <= found.at(-1)!.distance) continue;
        const vector = vectors.slice(at, at + dimensions);
        const place = found.findIndex((other) => other.distance < distance);
        found.splice(place < 0 ? found.length : place, 0, { distance, label, vector });
        if (found.length > count) found.pop();
      }
    return found;
  }

  /** Widens the bounds by what the centres move; the sum of the squared moves. */
  private widen(from: Float64Array, to: Float64Array): number {
    const { dimensions } = this.source;
    const { labels, upper, lower } = this;
    const { clusters } = this.options;
    let [total, most, second, farthest] = [0, 0, 0, -1];
    const moves = Float64Array.from({ length: clusters }, (_, c) => {
      const squared = squaredDistance(from, c * dimensions, to.subarray(c * dimensions), 0, dimensions);
      total += squared;
      const move = Math.sqrt(squared) * (1 + 1e-9);
      if (move > most) [second, most, farthest] = [most, move, c];
      else if (move > second) second = move;
      return move;
    });
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      upper[row]! += moves[label]!;
      lower[row]! -= label === farthest ? second : most;
    }
    return total;
  }

  private inertia(centres: Float64Array): number {
    const { dimensions } = this.source;
    const { mean } = this.about;
    let inertia = this.totalSpread;
    for (let c = 0, at = 0; c < this.sizes.length; c++)
      for (let d = 0; d < dimensions; d++, at++) {
        const offset = centres[at]! - mean[d]!;
        const size = this.sizes[c]!;
        inertia += offset * (size * offset - 2 * (this.sums[at]! - size * mean[d]!));
      }
    return Math.max(0, inertia);
  }
}
