/**
 * k nearest neighbours: the score of a label is the share of a document's k nearest training documents that have it.
 *
 *   multi-label   a label is predicted where more than half of the neighbours have it
 *   multi-class   the class that most neighbours have, the first of equals
 *
 * Both are what scikit-learn's KNeighborsClassifier predicts (uniform weights), the default being MTEB's: 5 neighbours,
 * euclidean. Neighbours are exact (neighbours.ts). The shares serve as scores for ranking measures; MTEB itself takes those
 * from the predictions (`indicatorScores`).
 */
import type { LabelSets } from '../metrics/label-sets.ts';
import { selectLabelSets } from '../metrics/label-sets.ts';
import { checkTraining, type DenseRows, selectRows } from './features.ts';
import { type NeighbourOptions, nearestNeighbours } from './neighbours.ts';
import { type ClassificationTask, decide, decideOne } from './predictions.ts';
import { type SampleOptions, sampleByLabel } from './sample-by-label.ts';

export interface KnnOptions extends NeighbourOptions {
  /** Number of labels. */
  labels: number;
  /** Default `multi-label`. */
  task?: ClassificationTask;
}

export interface KnnResult {
  /** [documents, labels] share of neighbours with the label, 0 to 1. A label that no training document has scores 0. */
  readonly scores: Float32Array;
  readonly predicted: LabelSets;
}

/** Labels of `test` by their neighbours in `train`, whose labels are `truth`. Throws as `nearestNeighbours` does. */
export async function knnClassify(
  train: DenseRows,
  truth: LabelSets,
  test: DenseRows,
  { labels, task = 'multi-label', ...options }: KnnOptions,
): Promise<KnnResult> {
  checkTraining(train, truth, labels);
  const { k, rows } = await nearestNeighbours(train, test, options);
  const scores = new Float32Array((rows.length / k) * labels);
  for (let i = 0; i < rows.length; i++) {
    const at = Math.floor(i / k) * labels;
    for (let j = truth.offsets[rows[i]!]!; j < truth.offsets[rows[i]! + 1]!; j++) scores[at + truth.codes[j]!]!++;
  }
  // Votes are counted in whole numbers: half of the neighbours is not more than half, whatever k is.
  const most = new Float64Array(labels).fill(Math.floor(k / 2) + 1);
  const predicted = task === 'multi-class' ? decideOne(scores, labels) : decide(scores, most);
  for (let i = 0; i < scores.length; i++) scores[i]! /= k;
  return { scores, predicted };
}

export interface MtebOptions extends Omit<KnnOptions, 'distance' | 'task'>, SampleOptions {
  /** Default 10, MTEB's. */
  experiments?: number;
  /**
   * Training rows of each experiment, in their order, as another program drew them; instead of drawing them here.
   */
  drawn?: readonly ArrayLike<number>[];
}

export interface MtebExperiment {
  /** Training rows, in the order drawn. */
  readonly rows: Int32Array;
  readonly predicted: LabelSets;
}

/**
 * MTEB's multi-label classification (AbsTaskMultilabelClassification): several experiments, each with few training rows a
 * label (sample-by-label.ts), 5 nearest neighbours, euclidean. A score of the task is the mean over the experiments; MTEB's
 * LRAP is that of `indicatorScores(predicted)`, its F1 the macro F1. MTEB counts the labels of the test part only: `labels`
 * and the codes are to be those.
 */
export async function mtebMultilabel(
  train: DenseRows,
  truth: LabelSets,
  test: DenseRows,
  { experiments = 10, drawn, samplesPerLabel, seed, ...options }: MtebOptions,
): Promise<MtebExperiment[]> {
  const results: MtebExperiment[] = [];
  for (let experiment = 0; experiment < (drawn?.length ?? experiments); experiment++) {
    const rows =
      drawn === undefined
        ? sampleByLabel(truth, { samplesPerLabel, seed, experiment })
        : Int32Array.from(drawn[experiment]!);
    const { predicted } = await knnClassify(selectRows(train, rows), selectLabelSets(truth, rows), test, options);
    results.push({ rows, predicted });
  }
  return results;
}
