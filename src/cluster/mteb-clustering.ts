/**
 * Clustering as the Massive Text Embedding Benchmark scores it (mteb 2.26, `AbsTaskClustering`, once `AbsTaskClusteringFast`):
 * documents drawn with replacement, ten times; each draw clustered by mini-batch k-means (batches of 512, one start, the same
 * seed each time) into as many clusters as there are labels; the score is the mean V-measure.
 *
 * Draws and steps come from Python's and NumPy's generator (mersenne-twister.ts), so that equal vectors, labels and seed give
 * mteb's own samples and, up to float32 rounding within k-means, its assignments. Samples depend on the seed and the number of
 * documents (or their families) alone: every system is scored on the same ones.
 */
import { inputError } from '../base/errors.ts';
import { type ClusteringMetrics, clusteringMetrics } from '../metrics/clustering.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { NumpyRandom, PythonRandom } from './mersenne-twister.ts';
import { miniBatchKMeans } from './mini-batch.ts';

export interface DrawOptions {
  /** Default 42, mteb's. */
  seed?: number;
  /** Default 10. */
  resamples?: number;
  /** Documents a resample. Default 16,384, mteb's `max_documents_per_cluster`. */
  size?: number;
}

export interface MtebDrawOptions extends DrawOptions {
  /**
   * Documents that are embedded at all, drawn without replacement: at most so many, or this share of them. Default all;
   * mteb's own default is a share of 0.04, which most of its tasks replace by a number.
   */
  embed?: { documents: number } | { share: number };
}

export interface MtebDraw {
  /** Documents that are embedded, in the order drawn; all, in their order, where none are left out. */
  rows: Int32Array;
  /** Each one's documents as places in `rows`. */
  resamples: Int32Array[];
}

/** The documents that mteb draws for a task of one level. */
export function mtebDraw(
  documents: number,
  { seed = 42, resamples = 10, size = 16384, embed }: MtebDrawOptions = {},
): MtebDraw {
  const random = new PythonRandom(seed);
  let rows: Int32Array = Int32Array.from({ length: documents }, (_, i) => i);
  if (embed !== undefined) {
    const wanted = 'share' in embed ? Math.floor(embed.share * documents) : embed.documents;
    rows = random.sample(documents, Math.min(documents, wanted));
  }
  checkDocuments(rows.length);
  return { rows, resamples: Array.from({ length: resamples }, () => random.choices(rows.length, size)) };
}

/** Resamples of whole families: drawn with replacement, all members of each, until `size` documents are there. */
export function familyResamples(
  families: ArrayLike<number>,
  { seed = 42, resamples = 10, size = 16384 }: DrawOptions = {},
): Int32Array[] {
  checkDocuments(families.length);
  const members = new Map<number, number[]>();
  for (let row = 0; row < families.length; row++) {
    const own = members.get(families[row]!);
    if (own === undefined) members.set(families[row]!, [row]);
    else own.push(row);
  }
  const list = [...members.values()];
  const random = new PythonRandom(seed);
  return Array.from({ length: resamples }, () => {
    const drawn: number[] = [];
    while (drawn.length < size) drawn.push(...list[random.choices(list.length, 1)[0]!]!);
    return Int32Array.from(drawn.slice(0, size));
  });
}

function checkDocuments(documents: number): void {
  if (documents > 0) return;
  throw inputError('there are no documents to cluster', { code: 'cluster.empty' });
}

export interface ScoreOptions {
  dimensions: number;
  product: MatrixProduct;
  /** Of k-means. Default 42. */
  seed?: number;
  /** Rows a step of k-means. Default 512. */
  batchRows?: number;
  /** Assignments made elsewhere, one a resample, instead of clustering. */
  assignments?: readonly ArrayLike<number>[];
  signal?: AbortSignal;
}

export interface ClusteringScores {
  /** One a resample. */
  scores: ClusteringMetrics[];
  vMeasures: Float64Array;
  /** Mean and standard deviation (divided by the number) of the V-measures: mteb's `v_measure` and `v_measure_std`. */
  mean: number;
  deviation: number;
  assignments: Int32Array[];
}

/**
 * Scores vectors [documents, dimensions] with one label a document on resamples of the documents; documents with a negative
 * label have none and may be in no resample.
 */
export async function scoreClustering(
  vectors: Float32Array,
  truth: Int32Array,
  resamples: readonly Int32Array[],
  { dimensions, product, seed = 42, batchRows = 512, assignments, signal }: ScoreOptions,
): Promise<ClusteringScores> {
  checkSameLength(truth.length, vectors.length / dimensions, 'vectors');
  if (assignments !== undefined) checkSameLength(resamples.length, assignments.length, 'assignments');
  const clusters = new Set(truth.filter((label) => label >= 0)).size;
  const scores: ClusteringMetrics[] = [];
  const made: Int32Array[] = [];
  for (const [i, rows] of resamples.entries()) {
    const labels = Int32Array.from(rows, (row) => {
      const label = truth[row];
      if (label === undefined || label < 0) throw withoutLabel(row);
      return label;
    });
    const given = assignments?.[i];
    let assigned: Int32Array;
    if (given !== undefined) assigned = Int32Array.from(given);
    else {
      const sample = new Float32Array(rows.length * dimensions);
      rows.forEach((row, place) => {
        sample.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), place * dimensions);
      });
      const random = new NumpyRandom(seed);
      const found = await miniBatchKMeans(sample, {
        clusters,
        dimensions,
        product,
        random,
        batchRows,
        ...(signal === undefined ? {} : { signal }),
      });
      assigned = found.labels;
    }
    scores.push(clusteringMetrics(labels, assigned));
    made.push(assigned);
  }
  return summarise(scores, made);
}

function summarise(scores: ClusteringMetrics[], assignments: Int32Array[]): ClusteringScores {
  const vMeasures = Float64Array.from(scores, (score) => score.vMeasure);
  const mean = vMeasures.reduce((sum, value) => sum + value, 0) / vMeasures.length;
  const deviation = Math.sqrt(vMeasures.reduce((sum, value) => sum + (value - mean) ** 2, 0) / vMeasures.length);
  return { scores, vMeasures, mean, deviation, assignments };
}

function checkSameLength(expected: number, found: number, field: string): void {
  if (expected === found) return;
  throw inputError('labels, vectors and assignments do not belong together', {
    code: 'cluster.rows',
    field,
    expected: String(expected),
    found: String(found),
  });
}

function withoutLabel(row: number) {
  return inputError('a resample holds a document without a label', {
    code: 'cluster.label',
    found: `row ${row}`,
    hint: 'draw from labelled documents only',
  });
}
