/**
 * MTEB's two clustering protocols, both mini-batch k-means with as many clusters as labels, from numpy's stream of the seed:
 *   sets        each row of the data is a set of texts that is clustered by itself; the mean V-measure of the sets (a set of
 *               one label counts as 1)
 *   bootstraps  of a stratified sample a share is embedded; bootstraps of it are clustered; means of V-measure and AMI
 */
import { inputError } from '../../base/errors.ts';
import { mtebDraw, scoreClustering } from '../../cluster/mteb-clustering.ts';
import type { ClusteringMetrics } from '../../metrics/clustering.ts';
import type { MatrixProduct } from '../../retrieve/matrix-product.ts';
import { labelOf, readLabels, someTexts } from './classification.ts';
import type { TaskEncoder } from './encoder.ts';
import { labelCodes } from './labels.ts';
import { numpyMean, numpyStd } from './numpy-sum.ts';
import { stratifiedSample } from './sampling.ts';
import { listOf, type Table, type TaskData, wrongValue } from './tables.ts';
import type { ClusteringTask } from './tasks.ts';

export interface ClusteringOptions {
  product: MatrixProduct;
  seed: number;
  signal?: AbortSignal | undefined;
}

type Bootstraps = NonNullable<ClusteringTask['bootstraps']>;

export interface BootstrapScores {
  v_measures: { 'Level 0': number[] };
  v_measure: number;
  v_measure_std: number;
  ami_scores: { 'Level 0': number[] };
  ami: number;
  ami_std: number;
}

export interface SetScores {
  v_measure: number;
  v_measure_std: number;
  v_measures: number[];
}

export interface Clustered<Scores> {
  scores: Scores;
  /** What was read, by the names of the task's `expected`. */
  found: Record<string, number>;
}

export async function evaluateBootstraps(
  task: ClusteringTask,
  data: TaskData,
  encoder: TaskEncoder,
  { sample, fraction, experiments, size, batch, ...options }: ClusteringOptions & Bootstraps,
): Promise<Clustered<BootstrapScores>> {
  const table = data.table(task.split);
  // As texts: so MTEB orders the labels of a stratified sample.
  const { codes, count } = labelCodes((await readLabels(table, task.label)).map(String));
  const sampled = stratifiedSample(codes, sample ?? codes.length, options.seed);
  const draw = mtebDraw(sampled.length, {
    seed: options.seed,
    resamples: experiments,
    size,
    embed: { share: fraction },
  });
  const rows = draw.rows.map((place) => sampled[place]!);
  // The table is read in its own order, so the vectors come by ascending row.
  const ascending = rows.slice().sort();
  const placeOf = new Map(Array.from(ascending, (row, place) => [row, place]));
  const texts = someTexts(table, task.text, new Set(ascending));
  const encoded = await encoder.encode({ texts, count: rows.length, label: 'texts' });
  const resamples = draw.resamples.map((of) => of.map((place) => placeOf.get(rows[place]!)!));
  const labels = ascending.map((row) => codes[row]!);
  const clustered = await scoreClustering(await encoded.read(), labels, resamples, {
    ...kMeansOf(options, batch),
    dimensions: encoded.dimensions,
  });
  return { scores: bootstrapScores(clustered.scores), found: { texts: codes.length, labels: count } };
}

const kMeansOf = ({ product, seed, signal }: ClusteringOptions, batchRows: number) => ({
  product,
  seed,
  batchRows,
  ...(signal === undefined ? {} : { signal }),
});

/** MTEB's summary of the measures of all bootstraps. */
export function bootstrapScores(of: readonly ClusteringMetrics[]): BootstrapScores {
  const measures = of.map(({ vMeasure }) => vMeasure);
  const adjusted = of.map(({ ami }) => ami);
  return {
    v_measures: { 'Level 0': measures },
    v_measure: numpyMean(measures),
    v_measure_std: numpyStd(measures),
    ami_scores: { 'Level 0': adjusted },
    ami: numpyMean(adjusted),
    ami_std: numpyStd(adjusted),
  };
}

export async function evaluateSets(
  task: ClusteringTask,
  data: TaskData,
  encoder: TaskEncoder,
  { batch, ...options }: ClusteringOptions & NonNullable<ClusteringTask['sets']>,
): Promise<Clustered<SetScores>> {
  const measures: number[] = [];
  const seen = new Set<string | number>();
  let texts = 0;
  for await (const set of setsOf(data.table(task.split), task)) {
    texts += set.texts.length;
    for (const label of set.labels) seen.add(label);
    const { codes, count } = labelCodes(set.labels);
    if (count < 2) {
      measures.push(1); // MTEB's value, whatever the clusters
      continue;
    }
    const label = `texts of set ${measures.length + 1}`;
    const encoded = await encoder.encode({ texts: set.texts, count: set.texts.length, label });
    const all = Int32Array.from(codes.keys());
    const { mean } = await scoreClustering(await encoded.read(), codes, [all], {
      ...kMeansOf(options, batch),
      dimensions: encoded.dimensions,
    });
    measures.push(mean);
  }
  if (measures.length === 0) {
    throw inputError('the data has no set of texts', {
      code: 'mteb.rows',
      file: data.table(task.split).files[0]!,
      expected: 'at least one row',
      found: 'none',
    });
  }
  return { scores: setScores(measures), found: { texts, labels: seen.size } };
}

/** MTEB's summary of the V-measures of all sets. */
export function setScores(measures: number[]): SetScores {
  return { v_measure: numpyMean(measures), v_measure_std: numpyStd(measures), v_measures: measures };
}

/** The sets of texts with their labels, one at a time. */
async function* setsOf(
  table: Table,
  { text, label }: ClusteringTask,
): AsyncGenerator<{ texts: string[]; labels: (string | number)[] }> {
  for await (const row of table.rows([text, label])) {
    const { file, line } = row;
    const texts = listOf(row, text);
    const labels = listOf(row, label);
    if (texts.length !== labels.length)
      throw wrongValue(file, line, label, `${texts.length} labels, one a text`, `${labels.length} labels`);
    yield {
      texts: texts.map((value) => {
        if (typeof value === 'string') return value;
        throw wrongValue(file, line, text, 'a list of texts', value);
      }),
      labels: labels.map((value) => labelOf({ file, line, values: { [label]: value } }, label)),
    };
  }
}
