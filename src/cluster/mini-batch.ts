/**
 * Mini-batch k-means (Sculley 2010) in the rules of scikit-learn's `MiniBatchKMeans`: each step draws a batch with
 * replacement, assigns it, and moves a centre to the mean of all vectors it was ever given (a learning rate of one over its
 * count); clusters of low count are put at random vectors of the batch every now and then; it ends where a smoothed inertia
 * of the batches has not improved for some steps. Starts by greedy k-means++ on a sample (seeding.ts).
 *
 * All draws come from one stream, in scikit-learn's order: given NumPy's stream (mersenne-twister.ts) it takes the same steps.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import { type Clustering, finishClustering, type KMeansOptions, startingCentres } from './k-means.ts';
import { NearestCentres } from './nearest-centres.ts';
import { type Draws, seedRows } from './seeding.ts';
import { checkClusters, moments, spreadOf, vectorBlocks } from './vector-source.ts';

export interface MiniBatchOptions
  extends Pick<KMeansOptions, 'clusters' | 'product' | 'seed' | 'start' | 'restarts' | 'signal'> {
  dimensions: number;
  /** Instead of the stream that `seed` names. */
  random?: Draws;
  /** Vectors a step. Default 1024. */
  batchRows?: number;
  /** Passes over as many vectors as there are, at most. Default 100. */
  maxPasses?: number;
  /** Times the mean variance of the dimensions: the sum of the centres' squared moves that ends the work. Default 0: never. */
  tolerance?: number;
  /** Steps without an improvement of the smoothed inertia that end the work. Default 10. */
  maxNoImprovement?: number;
  /** Vectors drawn for k-means++. Default three times the batch, or the clusters where that is less than they are. */
  seedingRows?: number;
  /** Clusters of less than this share of the largest count are put elsewhere. Default 0.01. */
  reassignmentRatio?: number;
}

/** Clusters vectors [rows, dimensions] that are in memory; `iterations` are steps. Throws as `kMeans` does. */
export async function miniBatchKMeans(vectors: Float32Array, options: MiniBatchOptions): Promise<Clustering> {
  const { clusters, dimensions, product, start, restarts = 1, maxPasses = 100, tolerance = 0, signal } = options;
  const { maxNoImprovement = 10, reassignmentRatio = 0.01, seed = 0 } = options;
  const random = options.random ?? stream(seed, 'mini-batch k-means');
  const source = vectorBlocks(vectors, dimensions);
  const rows = source.count;
  checkClusters(clusters, rows);
  if (!(reassignmentRatio >= 0))
    throw inputError('the share for reassignment is wrong', {
      code: 'cluster.reassignment',
      field: 'reassignmentRatio',
      expected: 'a number from 0',
      found: String(reassignmentRatio),
    });
  const about = await moments(source, signal);
  const spread = await spreadOf(source, about.mean);
  const batchRows = Math.min(options.batchRows ?? 1024, rows);
  const nearest = new NearestCentres(product, about.mean, clusters);

  /** Assigns the vectors of these rows to the centres; the sum of their squared distances. */
  const assign = async (places: Int32Array, centres: Float64Array) => {
    nearest.use(centres);
    const { labels, best } = await nearest.find({ vectors, places }, (i) => spread[places[i]!]!);
    let inertia = 0;
    for (let i = 0; i < places.length; i++) inertia += Math.max(0, spread[places[i]!]! + best[i]!);
    return { labels, inertia };
  };

  let centres =
    start === undefined
      ? await bestStart({ ...options, random, restarts, batchRows }, vectors, about.mean, assign)
      : startingCentres(start, clusters, dimensions);
  const counts = new Float64Array(clusters);
  const monitor = new Monitor(rows, batchRows, about.variance * tolerance, maxNoImprovement);
  const steps = Math.floor((maxPasses * rows) / batchRows);
  let sinceReassignment = 0;
  let iterations = 0;
  let converged = false;
  while (!converged && iterations < steps) {
    signal?.throwIfAborted();
    const places = drawRows(rows, batchRows, random);
    sinceReassignment += batchRows;
    const reassign = counts.includes(0) || sinceReassignment >= 10 * clusters;
    if (reassign) sinceReassignment = 0;
    const { labels, inertia } = await assign(places, centres);
    const next = centres.slice();
    learn(next, counts, vectors, dimensions, places, labels);
    if (reassign) moveSmall(next, counts, vectors, dimensions, places, reassignmentRatio, random);
    let moved = 0;
    for (let i = 0; i < next.length; i++) moved += (next[i]! - centres[i]!) ** 2;
    centres = next;
    iterations++;
    converged = monitor.enough(inertia, moved);
  }
  return { ...(await finishClustering(source, about, spread, centres, options)), iterations, converged };
}

/** As many rows as asked for, with replacement. */
function drawRows(rows: number, count: number, random: Draws): Int32Array {
  return Int32Array.from({ length: count }, () => Math.floor(random.uniform() * rows));
}

/** The starting centres, of several the ones that serve a sample best. */
async function bestStart(
  options: MiniBatchOptions & { random: Draws; restarts: number; batchRows: number },
  vectors: Float32Array,
  mean: Float64Array,
  assign: (places: Int32Array, centres: Float64Array) => Promise<{ inertia: number }>,
): Promise<Float64Array> {
  const { clusters, dimensions, product, random, restarts, batchRows, signal } = options;
  const rows = vectors.length / dimensions;
  let wanted = options.seedingRows ?? 3 * batchRows;
  if (wanted < clusters) wanted = 3 * clusters;
  wanted = Math.min(wanted, rows);
  const draw = () => Int32Array.from({ length: wanted }, () => random.integer(rows));
  const validation = draw();
  let best: { centres: Float64Array; inertia: number } | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const sample = wanted < rows ? gather(vectors, dimensions, draw()) : vectors;
    const chosen = await seedRows(sample, {
      clusters,
      dimensions,
      mean,
      random,
      product,
      ...(signal === undefined ? {} : { signal }),
    });
    const centres = Float64Array.from(gather(sample, dimensions, chosen));
    const inertia = restarts === 1 ? 0 : (await assign(validation, centres)).inertia;
    if (best === undefined || inertia < best.inertia) best = { centres, inertia };
  }
  return best!.centres;
}

function gather(vectors: Float32Array, dimensions: number, rows: Int32Array): Float32Array {
  const taken = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    taken.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  return taken;
}

/** Moves centres to the mean of what they had and what the batch gives them; counts grow by the latter. */
function learn(
  centres: Float64Array,
  counts: Float64Array,
  vectors: Float32Array,
  dimensions: number,
  places: Int32Array,
  labels: Int32Array,
): void {
  const before = counts.slice();
  for (const label of labels) counts[label]!++;
  for (let c = 0; c < counts.length; c++) {
    if (counts[c] === before[c]) continue;
    for (let d = c * dimensions; d < (c + 1) * dimensions; d++) centres[d]! *= before[c]!;
  }
  for (let i = 0; i < labels.length; i++) {
    const to = labels[i]! * dimensions;
    const at = places[i]! * dimensions;
    for (let d = 0; d < dimensions; d++) centres[to + d]! += vectors[at + d]!;
  }
  for (let c = 0; c < counts.length; c++) {
    if (counts[c] === before[c]) continue;
    for (let d = c * dimensions; d < (c + 1) * dimensions; d++) centres[d]! /= counts[c]!;
  }
}

/** Puts the centres of low count, at most half as many as the batch has vectors, at vectors of the batch. */
function moveSmall(
  centres: Float64Array,
  counts: Float64Array,
  vectors: Float32Array,
  dimensions: number,
  places: Int32Array,
  ratio: number,
  random: Draws,
): void {
  const largest = counts.reduce((a, b) => Math.max(a, b));
  const half = Math.floor(0.5 * places.length);
  let small = [...counts.keys()].filter((c) => counts[c]! < ratio * largest);
  if (small.length > 0.5 * places.length) {
    const least = new Set([...counts.keys()].sort((a, b) => counts[a]! - counts[b]! || a - b).slice(0, half));
    small = small.filter((c) => least.has(c));
  }
  if (small.length === 0) return;
  const order = permutation(places.length, random);
  const moved = new Set(small);
  const kept = counts.reduce(
    (least, count, c) => (moved.has(c) ? least : Math.min(least, count)),
    Number.POSITIVE_INFINITY,
  );
  small.forEach((c, i) => {
    const at = places[order[i]!]! * dimensions;
    for (let d = 0; d < dimensions; d++) centres[c * dimensions + d] = vectors[at + d]!;
    counts[c] = kept; // not so few that it would be moved again at once
  });
}

/** Fisher–Yates from the end, as `RandomStream.shuffle`. */
function permutation(length: number, random: Draws): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** When a mini-batch run has done enough. */
class Monitor {
  private readonly alpha: number;
  private readonly batchRows: number;
  private readonly enoughMoved: number;
  private readonly maxNoImprovement: number;
  private step = 0;
  private smoothed = 0;
  private least = Number.POSITIVE_INFINITY;
  private without = 0;

  constructor(rows: number, batchRows: number, enoughMoved: number, maxNoImprovement: number) {
    this.alpha = Math.min(1, (batchRows * 2) / (rows + 1));
    this.batchRows = batchRows;
    this.enoughMoved = enoughMoved;
    this.maxNoImprovement = maxNoImprovement;
  }

  enough(inertia: number, moved: number): boolean {
    const mean = inertia / this.batchRows;
    this.step++;
    if (this.step === 1) return false; // the inertia of the start
    this.smoothed = this.step === 2 ? mean : this.smoothed * (1 - this.alpha) + mean * this.alpha;
    if (this.enoughMoved > 0 && moved <= this.enoughMoved) return true;
    if (this.smoothed < this.least) {
      this.without = 0;
      this.least = this.smoothed;
    } else this.without++;
    return this.without >= this.maxNoImprovement;
  }
}
