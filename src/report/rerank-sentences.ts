/** What reranking did to each system it was tried on: from the verdict alone, with what it costs a query. */
import type { Verdict } from '../metrics/types.ts';
import { type CellResult, systemName } from '../study/results.ts';
import { metricName, pPhrase, score, signed, signedInterval } from './format.ts';
import type { Sentence } from './sentences.ts';
import type { Group, Standings } from './standings.ts';

const words: Record<Verdict, string> = {
  better: 'helps',
  worse: 'hurts',
  equivalent: 'makes no difference that matters to',
  undecided: 'is undecided for',
};

/** One sentence for every reranked system of a corpus x view that was tested against its base. */
export function rerankSentences(standings: Standings, { corpus, view, cells }: Group): Sentence[] {
  const { metric } = standings;
  return cells.flatMap((cell): Sentence[] => {
    const { rerank } = cell;
    const base = rerank && standings.cell(corpus, view, rerank.base);
    const pair = base && standings.compare(corpus, view, metric, systemName(cell), rerank.base);
    if (pair === undefined) return [];
    const tested = `${signed(pair.difference)} ${signedInterval(pair)}, ${pPhrase(pair.pHolm, 'Holm p')}`;
    return [
      [
        `Reranking the first ${rerank!.depth} documents by ${rerank!.model} ${words[pair.verdict]} `,
        { text: rerank!.base, cell: base! },
        `: ${metricName(metric)} from ${score(standings.value(base!))} to `,
        { text: score(standings.value(cell)), cell },
        ` (${tested})${costs(cell, base!)}.`,
      ],
    ];
  });
}

function costs(cell: CellResult, base: CellResult): string {
  const [after, before] = [perQuery(cell), perQuery(base)];
  return after === undefined || before === undefined ? '' : `; a query takes ${after} instead of ${before}`;
}

/** `1.2 s`, `34 ms`. */
function perQuery({ cost: { queriesPerSecond } }: CellResult): string | undefined {
  if (queriesPerSecond === undefined || !(queriesPerSecond > 0)) return undefined;
  const seconds = 1 / queriesPerSecond;
  return seconds >= 1 ? `${seconds.toFixed(1)} s` : `${Number((1000 * seconds).toPrecision(2))} ms`;
}
