/**
 * Sets of small integers a row, the labels of documents, as compressed sparse rows: what every multi-label measure reads, so
 * that its cost follows the labels that are there and not documents times labels.
 *
 * Invariants: offsets starts at 0, never falls and ends at the number of codes; the codes of a row ascend, each once.
 */
import { inputError } from '../base/errors.ts';

/** Row r has codes[offsets[r]] to codes[offsets[r + 1] - 1], ascending, each once. */
export interface LabelSets {
  /** [rows + 1] */
  readonly offsets: Uint32Array;
  /** [labels of all rows] */
  readonly codes: Int32Array;
}

/** Label sets from one list of codes a row, in any order; a code given twice counts once. */
export function labelSets(rows: readonly ArrayLike<number>[]): LabelSets {
  const sorted = rows.map((row) => [...new Set(Array.from(row))].sort((a, b) => a - b));
  const offsets = new Uint32Array(rows.length + 1);
  sorted.forEach((row, r) => {
    offsets[r + 1] = offsets[r]! + row.length;
  });
  return { offsets, codes: Int32Array.from(sorted.flat()) };
}

/** The sets of some rows, in the order given; a row may be taken several times. */
export function selectLabelSets(sets: LabelSets, rows: ArrayLike<number>): LabelSets {
  const offsets = new Uint32Array(rows.length + 1);
  const own = labelRows(sets);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!(row >= 0 && row < own)) throw new RangeError(`row ${row} is not one of ${own}`);
    offsets[i + 1] = offsets[i]! + sets.offsets[row + 1]! - sets.offsets[row]!;
  }
  const codes = new Int32Array(offsets[rows.length]!);
  for (let i = 0; i < rows.length; i++)
    codes.set(sets.codes.subarray(sets.offsets[rows[i]!]!, sets.offsets[rows[i]! + 1]!), offsets[i]!);
  return { offsets, codes };
}

/** Number of rows. */
export function labelRows({ offsets }: LabelSets): number {
  return offsets.length - 1;
}

/** Throws an input error unless there is at least one row and one label, all codes lie in 0..labels - 1, and each row ascends. */
export function checkLabelSets(sets: LabelSets, labels: number, field: string): void {
  const { offsets, codes } = sets;
  const rows = labelRows(sets);
  if (rows < 1) {
    throw inputError('there is no document to score', {
      code: 'labels.empty',
      field,
      expected: 'at least one row of labels',
    });
  }
  if (!(Number.isInteger(labels) && labels >= 1)) {
    throw inputError('there is no label to score', {
      code: 'labels.none',
      field: 'labels',
      expected: 'the number of labels, at least 1',
      found: String(labels),
    });
  }
  if (offsets[0] !== 0 || offsets[rows] !== codes.length) {
    throw inputError('offsets and codes of label sets do not belong together', {
      code: 'labels.offsets',
      field,
      expected: `offsets from 0 to ${codes.length}`,
      found: `${offsets[0]} to ${offsets[rows]}`,
    });
  }
  for (let r = 0; r < rows; r++) {
    let before = -1;
    if (offsets[r + 1]! < offsets[r]!) {
      throw inputError('the offsets of label sets fall', { code: 'labels.offsets', field, found: `row ${r}` });
    }
    for (let i = offsets[r]!; i < offsets[r + 1]!; i++) {
      const code = codes[i]!;
      if (code <= before || code >= labels) {
        throw inputError('a row of labels is not a set of label numbers', {
          code: 'labels.codes',
          field,
          expected: `numbers from 0 to ${labels - 1}, ascending, each once`,
          found: `${code} after ${before} in row ${r}`,
        });
      }
      before = code;
    }
  }
}

/** `checkLabelSets` of both, which must have equally many rows. Returns that number. */
export function checkPredictions(truth: LabelSets, predicted: LabelSets, labels: number): number {
  checkLabelSets(truth, labels, 'truth');
  checkLabelSets(predicted, labels, 'predicted');
  if (labelRows(truth) !== labelRows(predicted)) {
    throw inputError('there is not one prediction a document', {
      code: 'labels.rows',
      field: 'predicted',
      expected: `${labelRows(truth)} rows`,
      found: `${labelRows(predicted)}`,
    });
  }
  return labelRows(truth);
}

/**
 * Checks dense scores [documents, labels] against the label sets of the same documents; returns the number of documents.
 * Every score must be a finite number.
 */
export function checkScores(truth: LabelSets, scores: ArrayLike<number>, labels: number): number {
  checkLabelSets(truth, labels, 'truth');
  const documents = labelRows(truth);
  if (scores.length !== documents * labels) {
    throw inputError('there is not one score a document and label', {
      code: 'labels.scores',
      field: 'scores',
      expected: `${documents} x ${labels} numbers`,
      found: `${scores.length}`,
    });
  }
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) {
      throw inputError('a score is not a number', {
        code: 'labels.notFinite',
        field: 'scores',
        expected: 'finite numbers',
        found: `${scores[i]} for document ${Math.floor(i / labels)}, label ${i % labels}`,
      });
    }
  }
  return documents;
}
