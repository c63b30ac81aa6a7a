/** What the tests of classifiers allow to be said: from verdicts only, as `sentences.ts` for retrieval. */
import {
  type ClassificationCell,
  type ClassificationResults,
  classifierName,
} from '../study/classification/results.ts';
import { bestBy, type ClassifierGroup, compared, measureName } from './classification-standings.ts';
import { interval, listOf, plural, score } from './format.ts';
import type { Sentence } from './sentences.ts';
import { type Duel, verdictSentences } from './verdict-sentences.ts';

/** What may be said of one group on one metric, the leader first. */
export function classifierSentences(
  results: ClassificationResults,
  group: ClassifierGroup,
  metric: string,
): Sentence[] {
  const best = bestBy(group, metric);
  const estimate = best.metrics[metric];
  if (estimate === undefined) return [];
  const sentences: Sentence[] = [
    [
      { text: classifierName(best), cell: best },
      ` has the highest ${measureName(metric)}, `,
      { text: score(estimate.value), cell: best },
      ` ${interval(estimate)}, over ${plural(best.documents, 'document')} and ${plural(best.labels, 'label')}.`,
    ],
  ];
  const duels = group.cells.flatMap((other): (Duel & { rival: ClassificationCell })[] => {
    const pair = other === best ? undefined : compared(results, group, metric, best, other);
    return pair === undefined ? [] : [{ name: classifierName(other), rival: other, pair }];
  });
  const margin = results.comparisons.find((table) => table.metric === metric)?.margin;
  sentences.push(...verdictSentences(duels, { rivals: group.cells.length - 1, margin }));
  const tentative = duels.filter(({ pair }) => pair.tentative);
  if (tentative.length > 0) {
    const heads = [best, ...tentative.map(({ rival }) => rival)].filter(
      ({ probe }) => probe === 'linear' || probe === 'mlp',
    );
    sentences.push([
      `Tentative where heads trained with one seed are compared: ${listOf([...new Set(heads.map(classifierName))])}.`,
    ]);
  }
  return sentences;
}
