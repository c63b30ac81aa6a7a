/**
 * One label a document, for clustering, from documents with several (a patent has five or six classification symbols):
 *
 *   single    documents with exactly one label; the others are left out. Nothing is lost but documents, often most of them.
 *   first     the label that the record names first (MTEB's choice): in CPC and IPC the first symbol is meant to be the
 *             invention's. Needs the labels in the record's order.
 *   frequent  the document's label that most documents have: few large groups, near the trivial clustering.
 *   rare      the one that fewest documents have: many small, specific groups.
 *
 * Then labels with fewer than `least` documents are dropped, with their documents: a group of one or two cannot be found by
 * clustering. Which rule is right is a choice about the question, not about the models: name it with every score.
 */
import { inputError } from '../base/errors.ts';
import type { LabelSets } from '../metrics/label-sets.ts';

export const labelRules = ['single', 'first', 'frequent', 'rare'] as const;
export type LabelRule = (typeof labelRules)[number];

export interface ReduceOptions {
  rule: LabelRule;
  /** For `first`: the code of each document's first label [documents], negative where it has none. */
  first?: Int32Array;
  /** Labels with fewer documents are dropped. Default 1: none is. */
  least?: number;
}

export interface ReducedLabels {
  rule: LabelRule;
  least: number;
  /** Documents that keep a label, ascending. */
  rows: Int32Array;
  /** Their labels, numbered from 0 without gaps in the order of the codes. */
  truth: Int32Array;
  /** The code of each of these numbers in the label sets. */
  codes: Int32Array;
  /** Documents by what became of them. */
  documents: { all: number; unlabelled: number; several: number; small: number; kept: number };
  /** Labels that documents were reduced to, and of these the dropped ones. */
  labels: { used: number; dropped: number };
}

/** Throws an input error where a rule, or `first` for its rule, is missing or does not fit the documents. */
export function reduceLabels(sets: LabelSets, { rule, first, least = 1 }: ReduceOptions): ReducedLabels {
  const { offsets, codes } = sets;
  const all = offsets.length - 1;
  if (!labelRules.includes(rule)) throw wrong('rule', labelRules.join(', '), String(rule));
  if (!(Number.isInteger(least) && least >= 1)) throw wrong('least', 'a whole number from 1', String(least));
  if (rule === 'first' && first?.length !== all)
    throw wrong('first', `the first label of ${all} documents`, first === undefined ? 'none' : `${first.length}`);
  const frequency = new Map<number, number>();
  for (const code of codes) frequency.set(code, (frequency.get(code) ?? 0) + 1);
  const chosen = new Int32Array(all).fill(-1);
  let [unlabelled, several] = [0, 0];
  for (let row = 0; row < all; row++) {
    const own = codes.subarray(offsets[row], offsets[row + 1]);
    if (own.length === 0) unlabelled++;
    else if (own.length === 1) chosen[row] = own[0]!;
    else if (rule === 'single') several++;
    else if (rule === 'first') {
      if (!own.includes(first![row]!)) throw wrong('first', `a label of document ${row}`, String(first![row]));
      chosen[row] = first![row]!;
    } else chosen[row] = mostOf(own, (code) => frequency.get(code)! * (rule === 'frequent' ? 1 : -1));
  }
  const sizes = new Map<number, number>();
  for (const code of chosen) if (code >= 0) sizes.set(code, (sizes.get(code) ?? 0) + 1);
  const kept = [...sizes.keys()].filter((code) => sizes.get(code)! >= least).sort((a, b) => a - b);
  const numbers = new Map(kept.map((code, i) => [code, i]));
  const rows = Int32Array.from(chosen.keys()).filter((row) => numbers.has(chosen[row]!));
  return {
    rule,
    least,
    rows,
    truth: rows.map((row) => numbers.get(chosen[row]!)!),
    codes: Int32Array.from(kept),
    documents: { all, unlabelled, several, small: all - unlabelled - several - rows.length, kept: rows.length },
    labels: { used: sizes.size, dropped: sizes.size - kept.length },
  };
}

/** The code of the largest value, the lowest of equal ones. */
function mostOf(codes: Int32Array, value: (code: number) => number): number {
  return codes.reduce((best, code) => (value(code) > value(best) ? code : best));
}

function wrong(field: string, expected: string, found: string) {
  return inputError('labels cannot be reduced to one a document in this way', {
    code: 'cluster.labels',
    field,
    expected,
    found,
  });
}
