/** One system's clusterings: all documents once a seed, each bootstrap once, and the map. */
import { kMeans } from '../../cluster/k-means.ts';
import { map2d } from '../../cluster/map2d.ts';
import { miniBatchKMeans } from '../../cluster/mini-batch.ts';
import { scoreClustering } from '../../cluster/mteb-clustering.ts';
import type { MatrixProduct } from '../../retrieve/matrix-product.ts';
import { stopwatch } from '../clock.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { ClusterGround } from './ground.ts';
import { type Clusterer, mapPoints, starts } from './options.ts';
import type { BootstrapScores, SeedRun } from './results.ts';

export interface Clustered {
  /** `labels`: cluster of each document. */
  runs: (Omit<SeedRun, 'metrics'> & { labels: Int32Array })[];
  bootstraps: BootstrapScores;
  /** Where there are documents enough for one; `places` are documents of the ground, `points` [places, 2]. */
  map?: ClusterMapPoints;
  seconds: { clustering: number; bootstraps: number; map: number };
}

export interface ClusterMapPoints {
  places: Int32Array;
  points: Float32Array;
  neighbours: number;
  trustworthiness: number;
}

/** A map of fewer has nothing to show. */
const leastPoints = 4;

/** Seeds of the clusterings of all documents. */
export function seedsOf({ seed }: Pick<EvaluateSettings, 'seed'>): number[] {
  return Array.from({ length: starts }, (_, i) => seed + i);
}

/** `vectors` [documents of the ground, dimensions]. */
export async function clusterDocuments(
  { truth, clusters, draws }: ClusterGround,
  { vectors, dimensions }: { vectors: Float32Array; dimensions: number },
  clusterer: Clusterer,
  product: MatrixProduct,
  label: string,
  settings: EvaluateSettings,
): Promise<Clustered> {
  const { seed, signal } = settings;
  const common = { dimensions, product, ...(signal === undefined ? {} : { signal }) };
  const seeds = seedsOf(settings);
  const task = settings.progress.begin(label, { total: seeds.length + draws.length + 1, unit: 'clusterings' });
  const cluster = clusterer === 'kmeans' ? kMeans : miniBatchKMeans;
  const clock = stopwatch();
  const runs: Clustered['runs'] = [];
  for (const own of seeds) {
    signal?.throwIfAborted();
    const { labels, iterations, converged, inertia } = await cluster(vectors, { ...common, clusters, seed: own });
    runs.push({ seed: own, iterations, converged, inertia, labels });
    task.advance();
  }
  const clustering = clock();
  const vMeasures: number[] = [];
  for (const rows of draws) {
    signal?.throwIfAborted();
    const { scores } = await scoreClustering(vectors, truth, [rows], { ...common, seed });
    vMeasures.push(scores[0]!.vMeasure);
    task.advance();
  }
  const bootstrapped = clock();
  const map = truth.length < leastPoints ? undefined : await mapOf(vectors, truth, common, seed);
  task.advance();
  task.finish();
  const mean = vMeasures.reduce((sum, value) => sum + value, 0) / vMeasures.length;
  const squares = vMeasures.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    runs,
    bootstraps: { size: draws[0]!.length, vMeasures, mean, deviation: Math.sqrt(squares / vMeasures.length) },
    ...(map === undefined ? {} : { map }),
    seconds: { clustering, bootstraps: bootstrapped - clustering, map: clock() - bootstrapped },
  };
}

async function mapOf(
  vectors: Float32Array,
  labels: Int32Array,
  common: { dimensions: number; product: MatrixProduct; signal?: AbortSignal },
  seed: number,
): Promise<ClusterMapPoints> {
  const { rows, ...map } = await map2d(vectors, { ...common, labels, seed, points: mapPoints });
  return { places: rows, ...map };
}
