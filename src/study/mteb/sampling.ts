/**
 * Which rows MTEB reads, row for row: those of each experiment of classification, and the stratified sample of Hugging Face's
 * `datasets` (scikit-learn's StratifiedShuffleSplit).
 */
import { inputError } from '../../base/errors.ts';
import { sampleByLabel } from '../../classify/sample-by-label.ts';
import { NumpyRandom } from '../../cluster/mersenne-twister.ts';
import type { LabelSets } from '../../metrics/label-sets.ts';
import { fisherYates, NumpyGenerator } from './numpy-generator.ts';

/**
 * Rows of each experiment's training data: the rows, shuffled once more for every experiment, of which the first
 * `samplesPerLabel` of each label are taken. The shuffle starts from the same seed every time but from the last order.
 */
export function undersamples(
  labels: Int32Array,
  { samplesPerLabel, experiments, seed }: { samplesPerLabel: number; experiments: number; seed: number },
): Int32Array[] {
  const sets = singleLabels(labels);
  const order = Int32Array.from(labels.keys());
  return Array.from({ length: experiments }, () => {
    const random = new NumpyRandom(seed);
    fisherYates(order, (most) => random.integer(most + 1));
    return sampleByLabel(sets, { samplesPerLabel, seed, order });
  });
}

/** One label a row as sets of labels. */
export function singleLabels(labels: Int32Array): LabelSets {
  return { offsets: Uint32Array.from({ length: labels.length + 1 }, (_, row) => row), codes: labels };
}

/** `count` rows with the labels' shares kept, in a shuffled order; all rows as they are where there are not more. */
export function stratifiedSample(labels: Int32Array, count: number, seed: number): Int32Array {
  const rows = labels.length;
  if (count >= rows) return Int32Array.from({ length: rows }, (_, i) => i);
  const random = new NumpyGenerator(seed);
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const rowsOf = new Map<number, number[]>(classes.map((label) => [label, []]));
  for (const [row, label] of labels.entries()) rowsOf.get(label)!.push(row);
  const counts = classes.map((label) => rowsOf.get(label)!.length);
  if (Math.min(...counts) < 2 || classes.length > Math.min(count, rows - count)) {
    throw inputError('the labels are too rare for a stratified sample', {
      code: 'mteb.strata',
      expected: 'each label at least twice, and no more labels than rows sampled or left out',
      found: `${classes.length} labels, the rarest ${Math.min(...counts)} times in ${rows} rows`,
    });
  }
  const left = allot(counts, rows - count, random);
  const taken = allot(
    counts.map((all, i) => all - left[i]!),
    count,
    random,
  );
  const others: number[] = [];
  const sample: number[] = [];
  for (const [i, label] of classes.entries()) {
    const shuffled = random.permutation(Array.from({ length: counts[i]! }, (_, place) => place));
    const own = [...shuffled].map((place) => rowsOf.get(label)![place]!);
    others.push(...own.slice(0, left[i]!));
    sample.push(...own.slice(left[i]!, left[i]! + taken[i]!));
  }
  random.permutation(others); // the part that is not used is drawn first
  return random.permutation(sample);
}

/** How many of each class are drawn: shares rounded down, the rest by largest remainder, ties at random. */
function allot(counts: readonly number[], draws: number, random: NumpyGenerator): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => (draws * count) / all);
  const result = shares.map(Math.floor);
  let missing = draws - result.reduce((sum, count) => sum + count, 0);
  const remainders = shares.map((share, i) => share - result[i]!);
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing === 0) break;
    const among = [...remainders.keys()].filter((i) => remainders[i] === value);
    const chosen = random.choice(among, Math.min(among.length, missing));
    for (const i of chosen) result[i]!++;
    missing -= chosen.length;
  }
  return result;
}
