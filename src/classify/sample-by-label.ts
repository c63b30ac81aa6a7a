/**
 * MTEB's small training sets: so many documents of each label (`_undersample_data_indices`).
 *
 * Rows are walked in random order; a row is taken where one of its labels has been met fewer than `samplesPerLabel` times
 * among the rows taken, and then counts for all of its labels. So frequent labels that come along with rare ones are met
 * more often, and a row without labels is never taken.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import { type LabelSets, labelRows } from '../metrics/label-sets.ts';

export interface SampleOptions {
  /** Default 8, MTEB's. */
  samplesPerLabel?: number | undefined;
  seed: number;
}

/** Rows in the order taken. `order` replaces the random order of the rows. */
export function sampleByLabel(
  { offsets, codes }: LabelSets,
  {
    samplesPerLabel = 8,
    seed,
    experiment = 0,
    order,
  }: SampleOptions & { experiment?: number; order?: ArrayLike<number> },
): Int32Array {
  if (!(Number.isInteger(samplesPerLabel) && samplesPerLabel >= 1))
    throw inputError('the number of samples a label is wrong', {
      code: 'classify.samples',
      field: 'samplesPerLabel',
      expected: 'a whole number from 1',
      found: String(samplesPerLabel),
    });
  const rows = labelRows({ offsets, codes });
  const walked =
    order ?? stream(seed, 'sample', experiment).shuffle(Int32Array.from({ length: rows }, (_, row) => row));
  const met = new Map<number, number>();
  const taken: number[] = [];
  for (let i = 0; i < walked.length; i++) {
    const own = codes.subarray(offsets[walked[i]!]!, offsets[walked[i]! + 1]!);
    if (!own.some((label) => (met.get(label) ?? 0) < samplesPerLabel)) continue;
    taken.push(walked[i]!);
    for (const label of own) met.set(label, (met.get(label) ?? 0) + 1);
  }
  return Int32Array.from(taken);
}
