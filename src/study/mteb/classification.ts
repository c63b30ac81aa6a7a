/**
 * MTEB's classification protocol: a few texts of each label train a logistic regression (scikit-learn's, at most 100
 * iterations), which predicts all texts of the tested split; ten such experiments, whose scores are averaged.
 */
import { inputError } from '../../base/errors.ts';
import { predictLogistic, trainLogistic } from '../../classify/logistic.ts';
import { decideOne } from '../../classify/predictions.ts';
import type { Engine } from '../../engine/index.ts';
import { type ClassScores, classScores } from './class-scores.ts';
import type { TaskEncoder } from './encoder.ts';
import { labelCodes } from './labels.ts';
import { numpyMean } from './numpy-sum.ts';
import { singleLabels, undersamples } from './sampling.ts';
import { type Table, type TableRow, type TaskData, textOf, wrongValue } from './tables.ts';
import type { ClassificationTask, Protocols } from './tasks.ts';

export interface ClassificationData {
  train: Table;
  test: Table;
  trainLabels: Int32Array;
  testLabels: Int32Array;
  /** Labels of both, distinct. */
  labels: number;
  found: Record<string, number>;
}

export interface ClassificationScores extends ClassScores {
  scores_per_experiment: ClassScores[];
}

type Protocol = Protocols['Classification'];

export async function loadClassification(task: ClassificationTask, data: TaskData): Promise<ClassificationData> {
  const [train, test] = [data.table('train'), data.table(task.split)];
  const trained = await readLabels(train, task.label);
  const tested = await readLabels(test, task.label);
  if (trained.length === 0 || tested.length === 0) {
    throw inputError('a split of the data has no rows', {
      code: 'mteb.rows',
      file: (trained.length === 0 ? train : test).files[0]!,
      expected: 'at least one row',
      found: 'none',
    });
  }
  const { codes, count } = labelCodes([...trained, ...tested]);
  const trainLabels = codes.subarray(0, trained.length);
  if (new Set(trainLabels).size < 2) {
    throw inputError('the training data has one label only', {
      code: 'mteb.labels',
      file: train.files[0]!,
      field: task.label,
      expected: 'at least two labels',
      found: String(trained[0]),
    });
  }
  return {
    train,
    test,
    trainLabels,
    testLabels: codes.subarray(trained.length),
    labels: count,
    found: { train: trained.length, test: tested.length, labels: count },
  };
}

export async function readLabels(table: Table, column: string): Promise<(string | number)[]> {
  const labels: (string | number)[] = [];
  for await (const row of table.rows([column])) labels.push(labelOf(row, column));
  return labels;
}

export function labelOf({ file, line, values }: TableRow, column: string): string | number {
  const value = values[column];
  if (typeof value === 'string' || Number.isInteger(value)) return value as string | number;
  throw wrongValue(file, line, column, 'a label: a whole number or a text', value);
}

export interface ClassificationOptions extends Protocol {
  engine: Engine;
  signal?: AbortSignal | undefined;
}

export async function evaluateClassification(
  task: ClassificationTask,
  { train, test, trainLabels, testLabels, labels }: ClassificationData,
  encoder: TaskEncoder,
  options: ClassificationOptions,
): Promise<ClassificationScores> {
  const samples = undersamples(trainLabels, options);
  const needed = Int32Array.from(new Set(samples.flatMap((rows) => [...rows]))).sort();
  const placeOf = new Map(Array.from(needed, (row, place) => [row, place]));
  const texts = someTexts(train, task.text, new Set(needed));
  const trained = await encoder.encode({ texts, count: needed.length, label: 'training texts' });
  const tested = await encoder.encode({
    texts: someTexts(test, task.text),
    count: testLabels.length,
    label: 'tested texts',
  });
  const vectors = {
    train: await trained.read(),
    test: await tested.read(),
    dimensions: trained.dimensions,
  };
  const places = samples.map((rows) => rows.map((row) => placeOf.get(row)!));
  const needLabels = needed.map((row) => trainLabels[row]!);
  return experiments(vectors, needLabels, testLabels, places, { ...options, labels });
}

/** Vectors [rows, dimensions] of the rows that some experiment trains on, and of the tested rows. */
interface Vectors {
  train: Float32Array;
  test: Float32Array;
  dimensions: number;
}

/** The experiments; `samples` are places in the training vectors. */
export async function experiments(
  { train, test, dimensions }: Vectors,
  trainLabels: Int32Array,
  testLabels: Int32Array,
  samples: readonly Int32Array[],
  {
    engine,
    labels,
    iterations,
    signal,
  }: Pick<ClassificationOptions, 'engine' | 'iterations' | 'signal'> & { labels: number },
): Promise<ClassificationScores> {
  const scores: ClassScores[] = [];
  for (const places of samples) {
    signal?.throwIfAborted();
    const rows = new Float32Array(places.length * dimensions);
    for (const [i, place] of places.entries())
      rows.set(train.subarray(place * dimensions, (place + 1) * dimensions), i * dimensions);
    const truth = singleLabels(places.map((place) => trainLabels[place]!));
    const { model } = await trainLogistic({ vectors: rows, dimensions }, truth, {
      engine,
      labels,
      task: 'multi-class',
      maxIterations: iterations,
      ...(signal === undefined ? {} : { signal }),
    });
    const probabilities = await predictLogistic(model, { vectors: test, dimensions }, { engine });
    scores.push(classScores(testLabels, decideOne(probabilities, labels).codes, labels));
  }
  return averaged(scores);
}

/** The mean over the experiments that have a value; not a number where none has. */
export function averaged(scores: ClassScores[]): ClassificationScores {
  const mean = (name: keyof ClassScores) => numpyMean(scores.map((of) => of[name]).filter((value) => value !== null));
  const names = Object.keys(scores[0]!) as (keyof ClassScores)[];
  return {
    scores_per_experiment: scores,
    ...(Object.fromEntries(names.map((name) => [name, mean(name)])) as unknown as ClassScores),
  };
}

/** The texts of all rows, or of some. */
export async function* someTexts(table: Table, column: string, rows?: ReadonlySet<number>): AsyncGenerator<string> {
  let at = 0;
  for await (const row of table.rows([column])) if (rows?.has(at++) ?? true) yield textOf(row, column);
}
