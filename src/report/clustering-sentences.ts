/** What the tests of clusterings allow to be said: from verdicts only, as `sentences.ts` for retrieval. */
import type { ClusteringCell, ClusteringResults } from '../study/clustering/results.ts';
import { bestOf, type ClusterGroup, clusterGroups, measureOf, testedPair } from './clustering-standings.ts';
import { interval, metricName, plural, score } from './format.ts';
import type { Sentence } from './sentences.ts';
import { type Duel, verdictSentences } from './verdict-sentences.ts';

/** Metrics that sentences are made of. */
export const toldMetrics = ['v-measure', 'ami'] as const;

/** What may be said of one group on one metric, the leader first. */
export function clusteringSentences(results: ClusteringResults, group: ClusterGroup, metric: string): Sentence[] {
  const best = bestOf(group, metric);
  const estimate = best.metrics[metric];
  if (estimate === undefined) return [];
  const lead: Sentence = [
    { text: best.model, cell: best },
    ` has the highest ${metricName(metric)}, `,
    { text: score(estimate.value), cell: best },
    ` ${interval(estimate)}, over ${plural(best.documents, 'document')} with ${plural(best.labels, 'label')} in ${plural(best.clusters, 'cluster')}.`,
  ];
  const rivals = group.cells.filter((other) => other !== best);
  const told = rivals.map((other) => ({ other, name: other.model }));
  return [lead, ...against(results, best, told, metric)];
}

/** Of the group whose best system is the best of all: what its views say of each other; nothing where there is only one. */
export function clusteredViewSentences(results: ClusteringResults, { best }: ClusterGroup): Sentence[] {
  const others = clusterGroups(results)
    .filter(({ corpus, view }) => corpus === best.corpus && view !== best.view)
    .flatMap(({ cells }) => cells.filter(({ model }) => model === best.model));
  if (others.length === 0) return [];
  const rivals = others.map((other) => ({ other, name: `${other.view} ${score(measureOf(other))}` }));
  return [
    [`Of the views of ${best.model}, ${best.view} has the highest V-measure here.`],
    ...against(results, best, rivals, 'v-measure'),
  ];
}

function against(
  results: ClusteringResults,
  best: ClusteringCell,
  rivals: readonly { other: ClusteringCell; name: string }[],
  metric: string,
): Sentence[] {
  const duels = rivals.flatMap(({ other, name }): Duel[] => {
    const pair = testedPair(results, metric, best, other);
    return pair === undefined ? [] : [{ name, rival: other, pair }];
  });
  const margin = [...results.comparisons, ...results.viewComparisons][0]?.margin;
  return verdictSentences(duels, { rivals: rivals.length, margin });
}
