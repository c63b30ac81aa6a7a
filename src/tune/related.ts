/**
 * Which patents must never serve as each other's negatives: the same patent, the same family or text, a citation either way,
 * and, where labels are the training signal, a shared label. A contrastive loss takes all other positives of a batch for
 * negatives; those that are related would teach the wrong thing, so the loss leaves them out (false-negative mask).
 */
import { type CitationGraph, citationGraph, doesCite } from '../corpus/citation-graph.ts';
import { type LabelTable, shareLabel } from '../corpus/labels.ts';
import type { Relations } from '../corpus/relations.ts';
import type { CorpusSplit } from '../corpus/splits.ts';
import type { TrainingPair } from './pairs.ts';

export class Relatedness {
  private readonly group: Int32Array;
  private readonly citations: CitationGraph;
  private readonly labels: LabelTable | undefined;

  /** `labels` only where sharing one is what makes a positive (R2, and R4 with R2 in it). */
  constructor(split: CorpusSplit, relations: Relations, labels?: LabelTable) {
    this.group = split.group;
    this.citations = citationGraph(relations);
    this.labels = labels;
  }

  /** The same family, or the same text. */
  sameGroup(a: number, b: number): boolean {
    return this.group[a] === this.group[b];
  }

  related(a: number, b: number): boolean {
    return (
      this.group[a] === this.group[b] ||
      doesCite(this.citations, a, b) ||
      doesCite(this.citations, b, a) ||
      (this.labels !== undefined && shareLabel(this.labels, a, b))
    );
  }
}

/**
 * The false-negative mask of a batch of n pairs and, for each, h hard negatives: [n, n (1 + h)] row by row, 1 where the
 * candidate must not count as a negative of the anchor. Columns 0 to n - 1 are the positives of all pairs, columns n + h j
 * to n + h j + h - 1 the negatives of pair j (row -1: none there, masked for all). A pair's own positive is never masked.
 *
 * A candidate is masked where it is related to the anchor, belongs to the family of the anchor's positive, or is the positive
 * of another pair of the anchor's family ("shared positives"). Without `related` only places without a negative are.
 */
export function falseNegatives(
  batch: readonly TrainingPair[],
  related: Relatedness | undefined,
  negatives: ArrayLike<number> = [],
): Uint8Array {
  const n = batch.length;
  if (n === 0) return new Uint8Array(0);
  const h = negatives.length / n;
  if (!Number.isInteger(h)) throw new RangeError(`${negatives.length} negatives for ${n} pairs`);
  const width = n + negatives.length;
  const mask = new Uint8Array(n * width);
  for (const [i, { anchor, positive }] of batch.entries()) {
    const isFalse = (row: number) =>
      related !== undefined && (related.related(anchor, row) || related.sameGroup(positive, row));
    for (const [j, other] of batch.entries())
      if (j !== i && (isFalse(other.positive) || related?.sameGroup(anchor, other.anchor))) mask[i * width + j] = 1;
    for (let at = 0; at < negatives.length; at++) {
      const row = negatives[at]!;
      if (row < 0 || isFalse(row)) mask[i * width + n + at] = 1;
    }
  }
  return mask;
}
