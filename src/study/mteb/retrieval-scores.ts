/**
 * All scores that MTEB gives a retrieval task, by its names: trec_eval's measures at each cut (means over queries, rounded to
 * five decimals), `mrr_at_k` and the areas under the abstention curves (not rounded). Every judged query must be in the run.
 */
import { parseMetric } from '../../metrics/measure.ts';
import { rankOrder, scoreRun } from '../../metrics/score.ts';
import type { Judgements, Run } from '../../metrics/types.ts';
import { abstentionArea, confidenceOf, confidences } from './abstention.ts';
import { pythonRound } from './python-round.ts';

/** MTEB's name, trec_eval's name, whether MTEB rounds it, whether it draws an abstention curve of it. */
const families = [
  { name: 'ndcg', trec: 'ndcg_cut', rounded: true, curve: true },
  { name: 'map', trec: 'map_cut', rounded: true, curve: true },
  { name: 'recall', trec: 'recall', rounded: true, curve: true },
  { name: 'precision', trec: 'P', rounded: true, curve: true },
  { name: 'mrr', trec: 'recip_rank_cut', rounded: false, curve: true },
  { name: 'hit_rate', trec: 'success', rounded: true, curve: false },
] as const;

/** `cuts` must hold 1: MTEB calls the recall at 1 `accuracy`. */
export function retrievalScores(judgements: Judgements, run: Run, cuts: readonly number[]): Record<string, number> {
  const wanted = families.flatMap((family) => cuts.map((cut) => ({ ...family, key: `${family.name}_at_${cut}`, cut })));
  const { topics, values } = scoreRun(
    judgements,
    run,
    wanted.map(({ trec, cut }) => parseMetric(`${trec}_${cut}`)),
    { complete: true },
  );
  const sure = topics.map((topic) => confidenceOf(bestFirst(run, topic)));
  const scores: Record<string, number> = {};
  const areas: Record<string, number> = {};
  const hits: Record<string, number> = {};
  for (const [i, { key, rounded, curve }] of wanted.entries()) {
    let sum = 0;
    for (const value of values[i]!) sum += value;
    const mean = sum / topics.length;
    (curve ? scores : hits)[key] = rounded ? pythonRound(mean, 5) : mean;
    if (key === 'recall_at_1') scores.accuracy = pythonRound(mean, 5);
    if (!curve) continue;
    for (const confidence of confidences)
      areas[`nauc_${key}_${confidence}`] = abstentionArea(
        sure.map((of) => of[confidence]),
        values[i]!,
      );
  }
  return { ...scores, ...areas, ...hits };
}

function bestFirst(run: Run, topic: string): ArrayLike<number> {
  const ranking = run.get(topic) ?? { documents: [], scores: [] };
  const order = rankOrder(ranking);
  return order === undefined ? ranking.scores : Float64Array.from(order, (i) => ranking.scores[i]!);
}
