/** Labels of a data set as codes: whole numbers in their order, then texts in byte order, as scikit-learn sorts either. */
import { compareBytes } from '../../metrics/score.ts';

export interface LabelCodes {
  /** Code of each label, in the order given. */
  codes: Int32Array;
  /** Number of distinct labels. */
  count: number;
}

export function labelCodes(labels: readonly (string | number)[]): LabelCodes {
  const distinct = [...new Set(labels)].sort((a, b) =>
    typeof a === 'number' ? (typeof b === 'number' ? a - b : -1) : typeof b === 'number' ? 1 : compareBytes(a, b),
  );
  const codeOf = new Map(distinct.map((label, code) => [label, code]));
  return { codes: Int32Array.from(labels, (label) => codeOf.get(label)!), count: distinct.length };
}
