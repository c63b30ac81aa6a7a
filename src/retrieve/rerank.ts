/**
 * Reranking: the first n documents of a ranking in the order of other scores, the rest behind them as they stood.
 *
 * Among the first n: score down, ties by tieRank, as everywhere. The rest have no such score; they get whole numbers below
 * the lowest one, each less than the one before, so that whoever sorts the list by score finds the same order.
 */
import { workError } from '../base/errors.ts';
import type { RowRanking } from './candidates.ts';
import { TopK } from './top-k.ts';

/** `scores` of the first documents of `ranking`, in its order; no more than it has. Those that are no numbers are refused. */
export function rerank(ranking: RowRanking, scores: ArrayLike<number>, tieRank?: Uint32Array): RowRanking {
  const count = scores.length;
  if (count > ranking.rows.length)
    throw workError('there are more scores than documents to rerank', {
      code: 'rerank.count',
      expected: `at most ${ranking.rows.length}`,
      found: String(count),
    });
  if (count === 0) return ranking;
  const best = new TopK(count, tieRank);
  for (let i = 0; i < count; i++) best.offer(ranking.rows[i]!, scores[i]!);
  const first = best.take();
  const rows = new Int32Array(ranking.rows);
  const behind = Math.floor(first.scores[count - 1]!) - 1;
  const all = Float32Array.from(rows, (_, i) => (i < count ? first.scores[i]! : behind - (i - count)));
  rows.set(first.rows);
  return { rows, scores: all };
}
