/**
 * What it takes to read and encode (or index) one document, as any cell of a report measured it: tasks share vectors, and only
 * the cell that made them has their time.
 */
import type { EvaluationResults } from '../study/results.ts';

/** Seconds of one document by a model under a view; undefined where its vectors had been stored before this report. */
export type EncodingSeconds = (corpus: string, model: string, view: string) => number | undefined;

export function encodingSeconds({ cells, classification, clustering }: EvaluationResults): EncodingSeconds {
  const key = (corpus: string, model: string, view: string) => JSON.stringify([corpus, model, view]);
  const alone = cells.filter(({ fuse, rerank }) => fuse === undefined && rerank === undefined);
  const known = new Map<string, number>();
  for (const { corpus, model, view, cost } of [
    ...alone,
    ...(classification?.cells ?? []),
    ...(clustering?.cells ?? []),
  ]) {
    const own = key(corpus, model, view);
    if (cost.documentsPerSecond !== undefined && !known.has(own)) known.set(own, 1 / cost.documentsPerSecond);
  }
  return (corpus, model, view) => known.get(key(corpus, model, view));
}
