/**
 * What classifiers read: rows of frozen vectors, dense, or sparse (TF-IDF). Checked once, where they come in: a number that
 * is none would otherwise turn up as a silent NaN in every score.
 */
import { inputError } from '../base/errors.ts';
import type { SparseMatrix } from '../encode/lsa-matrix.ts';
import { checkLabelSets, type LabelSets, labelRows } from '../metrics/label-sets.ts';

/** Row-major [rows, dimensions]. */
export interface DenseRows {
  readonly vectors: Float32Array;
  readonly dimensions: number;
}

export type FeatureRows = DenseRows | SparseMatrix;

export const isDense = (features: FeatureRows): features is DenseRows => 'vectors' in features;

/** Length of a row. */
export const widthOf = (features: FeatureRows): number => (isDense(features) ? features.dimensions : features.columns);

/** Checks that there are whole rows of finite numbers; returns how many. `field` names them in errors. */
export function checkFeatures(features: FeatureRows, field: string): number {
  const values = isDense(features) ? features.vectors : features.values;
  const rows = isDense(features) ? features.vectors.length / features.dimensions : features.rows;
  if (!(Number.isInteger(rows) && rows > 0 && widthOf(features) > 0))
    throw inputError(rows === 0 ? 'there are no vectors' : 'the vectors are not of one length', {
      code: 'classify.dimensions',
      field,
      expected: `rows of ${widthOf(features)} numbers`,
      found: `${values.length} numbers`,
    });
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!; // not 0 where a number is infinite or NaN
  if (zero === 0) return rows;
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  throw inputError('a vector holds something that is no number', {
    code: 'classify.finite',
    field,
    expected: 'finite numbers',
    found: isDense(features)
      ? `${values[wrong]} in row ${Math.floor(wrong / features.dimensions)}`
      : String(values[wrong]),
    hint: 'encode the texts again',
  });
}

/** Checks training rows with their labels; returns the number of rows. */
export function checkTraining(features: FeatureRows, truth: LabelSets, labels: number): number {
  const rows = checkFeatures(features, 'train');
  checkLabelSets(truth, labels, 'labels');
  if (labelRows(truth) !== rows)
    throw inputError('vectors and labels are not of the same documents', {
      code: 'classify.rows',
      field: 'labels',
      expected: `${rows} rows`,
      found: String(labelRows(truth)),
    });
  return rows;
}

/** Checks that every document has one class. */
export function checkSingle({ offsets }: LabelSets): void {
  for (let row = 0; row + 1 < offsets.length; row++)
    if (offsets[row + 1]! - offsets[row]! !== 1)
      throw inputError('a document has not exactly one class', {
        code: 'classify.classes',
        field: 'labels',
        expected: 'one class a document',
        found: `${offsets[row + 1]! - offsets[row]!} in row ${row}`,
        hint: 'leave such documents out, or classify with several labels',
      });
}

/** Refuses rows of another length than those that a model was trained on. */
export function checkWidth(features: FeatureRows, width: number, field: string): void {
  if (widthOf(features) !== width)
    throw inputError('the vectors have another number of dimensions than those of the training', {
      code: 'classify.dimensions',
      field,
      expected: `rows of ${width} numbers`,
      found: `rows of ${widthOf(features)}`,
    });
}

/** Rows of dense or sparse features, in the order given. */
export function selectRows<F extends FeatureRows>(features: F, rows: ArrayLike<number>): F {
  if (isDense(features)) {
    const { vectors, dimensions } = features;
    const chosen = new Float32Array(rows.length * dimensions);
    for (let i = 0; i < rows.length; i++)
      chosen.set(vectors.subarray(rows[i]! * dimensions, (rows[i]! + 1) * dimensions), i * dimensions);
    return { ...features, vectors: chosen };
  }
  const sparse: SparseMatrix = features as SparseMatrix;
  const starts = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++)
    starts[i + 1] = starts[i]! + sparse.starts[rows[i]! + 1]! - sparse.starts[rows[i]!]!;
  const indices = new Int32Array(starts.at(-1)!);
  const values = new Float32Array(starts.at(-1)!);
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [sparse.starts[rows[i]!]!, sparse.starts[rows[i]! + 1]!];
    indices.set(sparse.indices.subarray(from, to), starts[i]!);
    values.set(sparse.values.subarray(from, to), starts[i]!);
  }
  return { ...features, rows: rows.length, starts, indices, values };
}

/** Rows whose value (a fold, a label) is wanted, ascending. */
export function rowsWhere(values: Int32Array, wanted: (value: number) => boolean): Int32Array {
  return values.map((_, row) => row).filter((row) => wanted(values[row]!));
}
